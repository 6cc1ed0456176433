//! Requests, each answered from the newest text.

use std::path::Path;

use lsp_server::ErrorCode;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, CodeLens, CodeLensParams, Command,
    CompletionItem, CompletionItemKind, CompletionParams, CompletionTextEdit, DocumentHighlight,
    DocumentHighlightParams, DocumentSymbol, DocumentSymbolParams, Documentation,
    GotoDefinitionParams, Hover, HoverContents, HoverParams, Location, MarkupContent, MarkupKind,
    ReferenceParams, SymbolKind, TextDocumentIdentifier, TextDocumentPositionParams, TextEdit,
};
use rungs_core::editor::{
    self, Completion, Form, Role, Sort, Symbol, lens, name_at, named, symbols,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    check::shown,
    desk::{Around, Desk, Document},
    position::Lines,
    rename,
};

/// For how many diagnostics at once something is offered, since each costs a check.
const FIXES: usize = 10;

/// Why a request has no answer.
pub(super) struct Wrong {
    pub code: ErrorCode,
    pub message: String,
}

impl Wrong {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub fn params(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParams, message)
    }
}

/// The parameters of a method.
pub(super) fn parsed<P: DeserializeOwned>(params: Value) -> Result<P, Wrong> {
    serde_json::from_value(params).map_err(|error| Wrong::params(error.to_string()))
}

/// Answers a request.
pub(super) fn answer(desk: &Desk, method: &str, params: Value) -> Result<Value, Wrong> {
    match method {
        "textDocument/completion" => asked(params, |params| complete(desk, &params)),
        "textDocument/hover" => asked(params, |params| hover(desk, &params)),
        "textDocument/definition" => asked(params, |params| define(desk, &params)),
        "textDocument/references" => asked(params, |params| refer(desk, &params)),
        "textDocument/documentHighlight" => asked(params, |params| highlight(desk, &params)),
        "textDocument/documentSymbol" => asked(params, |params| outline_of(desk, &params)),
        "textDocument/codeLens" => asked(params, |params| lenses(desk, &params)),
        "textDocument/codeAction" => asked(params, |params| actions(desk, &params)),
        "textDocument/prepareRename" => asked(params, |params| rename::prepare(desk, &params)),
        "textDocument/rename" => rename::rename(desk, &parsed(params)?).map(|edit| json!(edit)),
        _ => {
            let name: String = method.chars().take(100).collect();
            Err(Wrong::new(ErrorCode::MethodNotFound, format!("there is no method {name}")))
        }
    }
}

/// Nothing is an answer as well.
fn asked<P: DeserializeOwned, A: Serialize>(
    params: Value,
    answer: impl FnOnce(P) -> Option<A>,
) -> Result<Value, Wrong> {
    Ok(json!(answer(parsed(params)?)))
}

/// A document of ours, and all it takes to speak of places in it.
pub(super) struct Open<'d> {
    pub document: &'d Document,
    pub around: Around,
    pub lines: Lines<'d>,
}

impl<'d> Open<'d> {
    pub fn new(desk: &'d Desk, id: &TextDocumentIdentifier) -> Option<Self> {
        let document = desk.document(id.uri.as_str())?;
        let around = desk.around(document)?;
        Some(Self { document, around, lines: Lines::of(&document.text, desk.encoding) })
    }

    /// The page, and the byte at a position in it.
    pub fn at<'p>(
        &'p self,
        desk: &'p Desk,
        position: lsp_types::Position,
    ) -> (editor::Page<'p>, usize) {
        (self.page(desk), self.lines.byte(position))
    }

    pub fn page<'p>(&'p self, desk: &'p Desk) -> editor::Page<'p> {
        self.around.page(&self.document.text, &desk.vocabulary)
    }
}

fn complete(desk: &Desk, params: &CompletionParams) -> Option<Vec<CompletionItem>> {
    let TextDocumentPositionParams { text_document, position } = &params.text_document_position;
    let open = Open::new(desk, text_document)?;
    let (page, at) = open.at(desk, *position);
    let each = editor::complete(&page, at).into_iter().enumerate();
    Some(each.map(|(index, completion)| item(index, completion, &open.lines)).collect())
}

fn item(index: usize, completion: Completion, lines: &Lines<'_>) -> CompletionItem {
    let kind = match completion.sort {
        Sort::Key => CompletionItemKind::PROPERTY,
        Sort::Value => CompletionItemKind::ENUM_MEMBER,
        Sort::Runner => CompletionItemKind::CLASS,
        Sort::Step => CompletionItemKind::REFERENCE,
        Sort::Variable => CompletionItemKind::VARIABLE,
        Sort::Helper => CompletionItemKind::FUNCTION,
    };
    let edit = TextEdit::new(lines.range(&completion.replaces), completion.text);
    CompletionItem {
        kind: Some(kind),
        detail: completion.detail,
        documentation: completion.about.map(|about| Documentation::MarkupContent(markdown(about))),
        // As they come: what must be there first, then as the file or the schema has them.
        sort_text: Some(format!("{index:04}")),
        filter_text: Some(completion.label.clone()),
        label: completion.label,
        text_edit: Some(CompletionTextEdit::Edit(edit)),
        ..CompletionItem::default()
    }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

fn hover(desk: &Desk, params: &HoverParams) -> Option<Hover> {
    let TextDocumentPositionParams { text_document, position } =
        &params.text_document_position_params;
    let open = Open::new(desk, text_document)?;
    let (page, at) = open.at(desk, *position);
    let editor::Hover { text, span } = editor::hover(&page, at)?;
    let range = Some(open.lines.range(&span));
    Some(Hover { contents: HoverContents::Markup(markdown(text)), range })
}

fn define(desk: &Desk, params: &GotoDefinitionParams) -> Option<Location> {
    let TextDocumentPositionParams { text_document, position } =
        &params.text_document_position_params;
    let open = Open::new(desk, text_document)?;
    let (page, at) = open.at(desk, *position);
    let Some(name) = name_at(&page, at) else {
        let file = editor::file_at(&page, at)?;
        return whole(desk, &open.document.beside(&file)?);
    };
    let defined = |page: &editor::Page<'_>| {
        let mut names = named(page).into_iter();
        names.find(|other| other.id == name.id && other.role == Role::Defines)
    };
    let Some((path, text)) = &open.around.subject else {
        let range = open.lines.range(&defined(&page)?.span);
        return Some(Location::new(open.document.uri.clone(), range));
    };
    let found = defined(&editor::Page::new(Form::Sequence, text, &desk.vocabulary))?;
    let range = Lines::of(text, desk.encoding).range(&found.span);
    Some(Location::new(desk.uri(path)?, range))
}

/// The top of a file that is there.
fn whole(desk: &Desk, path: &Path) -> Option<Location> {
    desk.text(path)?;
    Some(Location::new(desk.uri(path)?, lsp_types::Range::default()))
}

fn refer(desk: &Desk, params: &ReferenceParams) -> Option<Vec<Location>> {
    let TextDocumentPositionParams { text_document, position } = &params.text_document_position;
    let all = rename::everywhere(desk, text_document, *position)?;
    let with_definition = params.context.include_declaration;
    let mut locations = Vec::new();
    for file in all.files {
        let lines = Lines::of(&file.text, desk.encoding);
        for name in file.names {
            if with_definition || name.role == Role::Refers {
                locations.push(Location::new(file.uri.clone(), lines.range(&name.span)));
            }
        }
    }
    Some(locations)
}

fn highlight(desk: &Desk, params: &DocumentHighlightParams) -> Option<Vec<DocumentHighlight>> {
    let TextDocumentPositionParams { text_document, position } =
        &params.text_document_position_params;
    let open = Open::new(desk, text_document)?;
    let (page, at) = open.at(desk, *position);
    let name = name_at(&page, at)?;
    let same = named(&page).into_iter().filter(|other| other.id == name.id);
    let range = |name: editor::Name| open.lines.range(&name.span);
    Some(same.map(|name| DocumentHighlight { range: range(name), kind: None }).collect())
}

fn outline_of(desk: &Desk, params: &DocumentSymbolParams) -> Option<Vec<DocumentSymbol>> {
    let open = Open::new(desk, &params.text_document)?;
    let page = open.page(desk);
    let kind = match page.form {
        Form::Sequence => SymbolKind::MODULE,
        Form::Cases => SymbolKind::EVENT,
    };
    Some(symbols(&page).into_iter().map(|one| symbol(one, kind, &open.lines)).collect())
}

fn symbol(symbol: Symbol, kind: SymbolKind, lines: &Lines<'_>) -> DocumentSymbol {
    let children = symbol.children.into_iter();
    let children: Vec<_> =
        children.map(|child| self::symbol(child, SymbolKind::FUNCTION, lines)).collect();
    #[expect(deprecated, reason = "the type has a field that the protocol has given up")]
    DocumentSymbol {
        name: symbol.name,
        detail: symbol.detail,
        kind,
        tags: None,
        deprecated: None,
        range: lines.range(&symbol.span),
        selection_range: lines.range(&symbol.name_span),
        children: Some(children),
    }
}

fn lenses(desk: &Desk, params: &CodeLensParams) -> Option<Vec<CodeLens>> {
    let open = Open::new(desk, &params.text_document)?;
    let page = open.page(desk);
    let sequence = desk.sequence(&open.document.text, &open.around)?;
    let each = lens(&page, &sequence).into_iter();
    // An empty command is how a lens only says something.
    let lenses = each.map(|lens| CodeLens {
        range: open.lines.range(&lens.span),
        command: Some(Command::new(lens.title, String::new(), None)),
        data: None,
    });
    Some(lenses.collect())
}

/// What was meant, where the check knows, and where writing that leaves less to say.
fn actions(desk: &Desk, params: &CodeActionParams) -> Option<Vec<CodeAction>> {
    let open = Open::new(desk, &params.text_document)?;
    // What is wrong in a file that it includes has its place in that file.
    let of_it = |found: Vec<rungs_core::Diagnostic>| -> Vec<_> {
        found.into_iter().filter(|one| one.included.is_none()).collect()
    };
    let found = of_it(desk.found(open.document));
    // Of a flood only the beginning is there, and the next takes the place of what is put right.
    let is_note = |one: &rungs_core::Diagnostic| one.code == "more";
    let is_cut = found.iter().any(is_note);
    let known = |one: &rungs_core::Diagnostic| {
        is_note(one) || found.iter().any(|it| it.code == one.code && it.message == one.message)
    };
    let wanted = open.lines.span(params.range);
    let touches = |found: &&rungs_core::Diagnostic| {
        found.span.start <= wanted.end && wanted.start <= found.span.end
    };
    let mut actions = Vec::new();
    for diagnostic in found.iter().filter(touches).take(FIXES) {
        let Some(fix) = editor::fix(&open.document.text, diagnostic) else { continue };
        let mut text = open.document.text.clone();
        text.replace_range(fix.span.clone(), &fix.text);
        let fixed = Document {
            uri: open.document.uri.clone(),
            path: open.document.path.clone(),
            version: open.document.version,
            text,
        };
        let left = of_it(desk.found(&fixed));
        // What breaks the YAML leaves one thing to say, and a new one.
        let is_less = left.len() < found.len() || (is_cut && left.len() == found.len());
        let is_there = |one: &rungs_core::Diagnostic| {
            one.span.start == diagnostic.span.start && one.code == diagnostic.code
        };
        if !is_less || !left.iter().all(known) || left.iter().any(is_there) {
            continue;
        }
        let edit = TextEdit::new(open.lines.range(&fix.span), fix.text);
        actions.push(CodeAction {
            title: fix.title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![shown(diagnostic, &open.lines)]),
            edit: Some(rename::edit([(open.document.uri.clone(), vec![edit])])),
            is_preferred: Some(true),
            ..CodeAction::default()
        });
    }
    Some(actions)
}
