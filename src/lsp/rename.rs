//! A step wherever it is named: in its sequence, and in the cases beside that.

use lsp_server::ErrorCode;
use lsp_types::{
    PrepareRenameResponse, RenameParams, TextDocumentIdentifier, TextDocumentPositionParams,
    TextEdit, Uri, WorkspaceEdit,
};
use rungs_core::editor::{Form, Name, Page, Role, name_at, named, renamed};

use super::{
    answers::{Open, Wrong},
    desk::Desk,
    position::Lines,
};

/// All places of a step.
pub(super) struct Everywhere {
    pub id: String,
    pub files: Vec<InFile>,
}

/// Those in one file.
pub(super) struct InFile {
    pub uri: Uri,
    pub form: Form,
    pub text: String,
    pub names: Vec<Name>,
}

/// Where the step that is named at a position is named, the sequence first.
pub(super) fn everywhere(
    desk: &Desk,
    id: &TextDocumentIdentifier,
    position: lsp_types::Position,
) -> Option<Everywhere> {
    let open = Open::new(desk, id)?;
    let (page, at) = open.at(desk, position);
    let id = name_at(&page, at)?.id;
    let (sequence, text) = match &open.around.subject {
        Some((path, text)) => (Some(path.clone()), text.clone()),
        None => (open.document.path.clone(), open.document.text.clone()),
    };
    let uri = match &sequence {
        Some(path) => desk.uri(path)?,
        None => open.document.uri.clone(),
    };
    let cases = sequence.map(|path| desk.cases(&path)).unwrap_or_default();
    let mut sources = vec![(uri, Form::Sequence, text)];
    for (path, text) in cases {
        sources.push((desk.uri(&path)?, Form::Cases, text));
    }
    let subject = sources.first().map(|(_, _, text)| text.clone()).unwrap_or_default();
    let files = sources.into_iter().map(|(uri, form, text)| {
        let page = page_of(desk, form, &text, &subject);
        let names: Vec<Name> = named(&page).into_iter().filter(|name| name.id == id).collect();
        InFile { uri, form, text, names }
    });
    Some(Everywhere { files: files.collect(), id })
}

/// A file that names steps of the sequence `subject`: in cases, the steps of a fragment bear the
/// name of the step that runs it.
fn page_of<'a>(desk: &'a Desk, form: Form, text: &'a str, subject: &'a str) -> Page<'a> {
    Page::new(form, text, &desk.vocabulary).with((form == Form::Cases).then_some(subject), None)
}

/// Whether there is something to rename at a position, and what.
pub(super) fn prepare(
    desk: &Desk,
    params: &TextDocumentPositionParams,
) -> Option<PrepareRenameResponse> {
    let TextDocumentPositionParams { text_document, position } = params;
    let all = everywhere(desk, text_document, *position)?;
    all.is_a_step().then_some(())?;
    let open = Open::new(desk, text_document)?;
    let (page, at) = open.at(desk, *position);
    let range = open.lines.range(&name_at(&page, at)?.span);
    Some(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder: all.id })
}

impl Everywhere {
    /// Whether there is a step of that name, not only somebody who thinks so.
    fn is_a_step(&self) -> bool {
        let mut names = self.files.iter().flat_map(|file| &file.names);
        names.any(|name| name.role == Role::Defines)
    }
}

/// Everything that changes with a step's name.
pub(super) fn rename(desk: &Desk, params: &RenameParams) -> Result<WorkspaceEdit, Wrong> {
    let TextDocumentPositionParams { text_document, position } = &params.text_document_position;
    let failed = |message: String| Wrong::new(ErrorCode::RequestFailed, message);
    let all = everywhere(desk, text_document, *position)
        .filter(Everywhere::is_a_step)
        .ok_or_else(|| failed("there is no step here".to_owned()))?;
    let subject = all.files.first().map_or("", |file| file.text.as_str());
    let mut files = Vec::new();
    for file in &all.files {
        let page = page_of(desk, file.form, &file.text, subject);
        let spans = renamed(&page, &all.id, &params.new_name)
            .map_err(|refused| failed(refused.to_string()))?;
        let lines = Lines::of(&file.text, desk.encoding);
        let edits =
            spans.iter().map(|span| TextEdit::new(lines.range(span), params.new_name.clone()));
        files.push((file.uri.clone(), edits.collect()));
    }
    Ok(edit(files))
}

/// Changes of several files.
#[expect(clippy::mutable_key_type, reason = "the type of the protocol; nothing of a URI changes")]
pub(super) fn edit(files: impl IntoIterator<Item = (Uri, Vec<TextEdit>)>) -> WorkspaceEdit {
    let changes = files.into_iter().filter(|(_, edits)| !edits.is_empty()).collect();
    WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
}
