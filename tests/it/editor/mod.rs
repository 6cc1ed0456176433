//! `rungs lsp`, as editors meet it.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fakes::editor::Editor;

mod hostile;

const LADDER: &str = "\
sequence: ladder
input: { type: object, required: [phone], properties: { phone: { type: string } } }
steps:
  - id: ring
    run: Phone
    config: { to: '{{phone}}', say: 'Žurno 😀', await: answered }
    altNext: text
  - id: settle
    run: WaitForDuration
    config: { amount: 5, unit: minutes }
    next: end
  - id: text
    run: SMS
    config: { to: '{{phone}}', message: 'Rang: {{steps.ring.status}}' }
";

const CASES: &str = "\
given: { data: { phone: '+385911234567' } }
cases:
  - case: Nobody picks up
    when: { ring: busy }
    then:
      - +0m: ring
      - +1m: text
      - +1m: completed
";

/// A folder with the ladder and its cases, and an editor in it.
struct Room {
    editor: Editor,
    hello: Value,
    folder: TempDir,
}

impl Room {
    fn new(encodings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ladder.yml"), LADDER).unwrap();
        fs::write(folder.path().join("ladder.test.yml"), CASES).unwrap();
        let (editor, hello) = Editor::open(folder.path(), encodings);
        Self { editor, hello, folder }
    }

    fn uri(&self, file: &str) -> String {
        format!("file://{}", self.folder.path().join(file).display())
    }

    fn open(&mut self, file: &str, text: &str) {
        let document =
            json!({ "uri": self.uri(file), "languageId": "yaml", "version": 1, "text": text });
        self.editor.tell("textDocument/didOpen", &json!({ "textDocument": document }));
    }

    /// Types over a range of lines and columns.
    fn change(&mut self, file: &str, version: i32, range: [u32; 4], text: &str) {
        let range = json!({
            "start": { "line": range[0], "character": range[1] },
            "end": { "line": range[2], "character": range[3] },
        });
        let params = json!({
            "textDocument": { "uri": self.uri(file), "version": version },
            "contentChanges": [{ "range": range, "text": text }],
        });
        self.editor.tell("textDocument/didChange", &params);
    }

    /// What is wrong with a version of a file: the code, and where it begins and ends.
    fn shown(&mut self, file: &str, version: impl Into<Option<i32>>) -> Vec<(String, [u64; 4])> {
        let shown = self.editor.shown(&self.uri(file), version);
        let each = shown.iter().map(|one| {
            let (start, end) = (&one["range"]["start"], &one["range"]["end"]);
            let number = |place: &Value, key: &str| place[key].as_u64().unwrap();
            let range = [
                number(start, "line"),
                number(start, "character"),
                number(end, "line"),
                number(end, "character"),
            ];
            (one["code"].as_str().unwrap().to_owned(), range)
        });
        each.collect()
    }

    /// Asks about a place.
    fn ask(&mut self, what: &str, file: &str, line: u32, column: u32, more: &Value) -> Value {
        let mut params = json!({
            "textDocument": { "uri": self.uri(file) },
            "position": { "line": line, "character": column },
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.editor.ask(&format!("textDocument/{what}"), &params)
    }

    fn labels(&mut self, file: &str, line: u32, column: u32) -> Vec<String> {
        let items = self.ask("completion", file, line, column, &json!({}));
        let items = items.as_array().unwrap();
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn somebody_writes_a_step_and_sees_at_every_moment_what_may_stand_there() {
    let mut room = Room::new(&[]);
    assert_eq!(room.hello["capabilities"]["positionEncoding"], "utf-16");
    room.open("ladder.yml", LADDER);
    assert_eq!(room.shown("ladder.yml", 1), []);

    // A new step at the end, not yet YAML, and then not yet a step.
    let end = LADDER.lines().count() as u32;
    room.change("ladder.yml", 2, [end, 0, end, 0], "  - id: again\n    run: ");
    let runners = room.labels("ladder.yml", end + 1, 9);
    assert!(runners.contains(&"GoTo".to_owned()), "{runners:?}");
    assert!(!room.shown("ladder.yml", 2).is_empty());

    room.change("ladder.yml", 3, [end + 1, 9, end + 1, 9], "GoTo\n    config: { st");
    assert_eq!(room.labels("ladder.yml", end + 2, 16), ["step", "times"]);
    room.change("ladder.yml", 4, [end + 2, 14, end + 2, 16], "step: ");
    assert_eq!(room.labels("ladder.yml", end + 2, 20), ["ring", "settle", "text", "again", "end"]);
    room.change("ladder.yml", 5, [end + 2, 20, end + 2, 20], "rng, times: 2 }\n");
    let code = |code: &str| code.to_owned();
    let line = u64::from(end + 2);
    assert_eq!(room.shown("ladder.yml", 5), [(code("unknown-step"), [line, 20, line, 23])]);

    // What was meant is one key away.
    let range = json!({
        "start": { "line": end + 2, "character": 21 }, "end": { "line": end + 2, "character": 21 },
    });
    let params = json!({
        "textDocument": { "uri": room.uri("ladder.yml") },
        "range": range,
        "context": { "diagnostics": [] },
    });
    let actions = room.editor.ask("textDocument/codeAction", &params);
    assert_eq!(actions[0]["title"], "Write ring", "{actions}");
    let edits = &actions[0]["edit"]["changes"][&room.uri("ladder.yml")];
    assert_eq!(edits[0]["newText"], "ring");
    room.change("ladder.yml", 6, [end + 2, 20, end + 2, 23], "ring");
    assert_eq!(room.shown("ladder.yml", 6), []);
    assert_eq!(room.editor.leave(), 0);
}

#[test]
fn of_a_flood_of_mistakes_each_can_be_put_right() {
    let mut room = Room::new(&[]);
    let step =
        |n: usize| format!("  - {{ id: s{n}, run: SMSS, config: {{ to: '112', message: x }} }}\n");
    let steps: String = (0..120).map(step).collect();
    room.open("flood.yml", &format!("sequence: flood\nsteps:\n{steps}"));
    assert_eq!(room.shown("flood.yml", 1).len(), 101);
    let at = json!({ "line": 2, "character": 20 });
    let params = json!({
        "textDocument": { "uri": room.uri("flood.yml") },
        "range": { "start": at, "end": at },
        "context": { "diagnostics": [] },
    });
    let actions = room.editor.ask("textDocument/codeAction", &params);
    assert_eq!(actions[0]["title"], "Write SMS", "{actions}");
}

#[test]
fn columns_are_counted_as_the_editor_counts_them() {
    // After `say: 'Žurno 😀'` stands what is wrong: Ž is 2 bytes, the face 4 bytes and 2 units.
    let wrong = LADDER.replace("await: answered", "await: answred");
    let column = |encoding: &[&str]| {
        let mut room = Room::new(encoding);
        room.open("ladder.yml", &wrong);
        room.shown("ladder.yml", 1)[0].1[1]
    };
    let at = LADDER.lines().nth(5).unwrap().find("answered").unwrap() as u64;
    assert_eq!(column(&["utf-8", "utf-16"]), at);
    assert_eq!(column(&["utf-32"]), at - 4);
    assert_eq!(column(&["utf-16"]), at - 3);
    assert_eq!(column(&["utf-7"]), at - 3);
}

#[test]
fn a_step_is_explained_found_and_renamed_with_its_cases() {
    let mut room = Room::new(&[]);
    room.open("ladder.yml", LADDER);

    let hover = room.ask("hover", "ladder.yml", 8, 12, &json!({}));
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.starts_with("Waits for a while") && text.contains("```yaml"), "{text}");
    let hover = room.ask("hover", "ladder.yml", 9, 27, &json!({}));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("What is counted"), "{hover}");

    let there = room.ask("definition", "ladder.yml", 6, 14, &json!({}));
    assert_eq!(there["range"]["start"], json!({ "line": 11, "character": 8 }));

    let all = room.ask(
        "references",
        "ladder.yml",
        3,
        9,
        &json!({ "context": { "includeDeclaration": true } }),
    );
    let files: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["uri"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(files, ["ladder.yml", "ladder.yml", "ladder.test.yml", "ladder.test.yml"]);

    let prepared = room.ask("prepareRename", "ladder.yml", 3, 9, &json!({}));
    assert_eq!(prepared["placeholder"], "ring");
    let renamed = room.ask("rename", "ladder.yml", 3, 9, &json!({ "newName": "call" }));
    let lines = |file: &str| -> Vec<u64> {
        let edits = renamed["changes"][&room.uri(file)].as_array().unwrap();
        edits.iter().map(|edit| edit["range"]["start"]["line"].as_u64().unwrap()).collect()
    };
    assert_eq!((lines("ladder.yml"), lines("ladder.test.yml")), (vec![3, 13], vec![3, 5]));

    let refused = room.ask("rename", "ladder.yml", 3, 9, &json!({ "newName": "text" }));
    assert_eq!(refused["message"], "there is a step `text` already");
    let nothing = room.ask("prepareRename", "ladder.yml", 0, 12, &json!({}));
    assert_eq!(nothing, Value::Null);

    let document = json!({ "textDocument": { "uri": room.uri("ladder.yml") } });
    let symbols = room.editor.ask("textDocument/documentSymbol", &document);
    let steps = symbols[0]["children"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ring", "settle", "text"]);
    let lenses = room.editor.ask("textDocument/codeLens", &document);
    let title = lenses[0]["command"]["title"].as_str().unwrap();
    assert!(title.starts_with("3 steps"), "{title}");
    let first = lenses[1]["command"]["title"].as_str().unwrap();
    assert!(first.starts_with("first contact: at once"), "{first}");
}

#[test]
fn cases_are_checked_against_the_sequence_as_it_is_in_the_editor() {
    let mut room = Room::new(&[]);
    room.open("ladder.test.yml", CASES);
    assert_eq!(room.shown("ladder.test.yml", 1), []);
    let there = room.ask("definition", "ladder.test.yml", 5, 13, &json!({}));
    assert_eq!(there["uri"], room.uri("ladder.yml"));
    assert_eq!(
        room.labels("ladder.test.yml", 5, 14),
        ["ring", "text", "completed", "failed", "waits at "]
    );

    // The step has another name in the editor, and not yet on disk.
    room.open(
        "ladder.yml",
        &LADDER.replace("id: ring", "id: call").replace("steps.ring", "steps.call"),
    );
    room.shown("ladder.yml", 1);
    let codes: Vec<String> =
        room.shown("ladder.test.yml", 1).into_iter().map(|(code, _)| code).collect();
    assert!(
        codes.contains(&"answer".to_owned()) && codes.contains(&"then".to_owned()),
        "{codes:?}"
    );

    // What is closed has nothing wrong with it any more.
    room.shown("ladder.test.yml", None);
    let document = json!({ "textDocument": { "uri": room.uri("ladder.test.yml") } });
    room.editor.tell("textDocument/didClose", &document);
    assert_eq!(room.shown("ladder.test.yml", None), []);
}

#[test]
fn what_is_not_ours_is_left_alone_and_an_empty_file_may_become_ours() {
    let mut room = Room::new(&[]);
    room.open("compose.yml", "services:\n  web: { image: nginx }\n");
    assert_eq!(room.shown("compose.yml", 1), []);
    let nothing = room.ask("completion", "compose.yml", 1, 2, &json!({}));
    assert_eq!(nothing, Value::Null);
    room.open("new.yml", "");
    assert_eq!(room.labels("new.yml", 0, 0)[0], "sequence");
}

#[test]
fn what_is_wrong_in_a_fragment_stands_in_the_fragment() {
    let mut room = Room::new(&[]);
    let shop = "sequence: shop\nsteps:\n  - id: shop\n    run: ./shared/reach.yml\n    config: { phone: '{{phone}}' }\n";
    let reach = |key: &str| {
        format!(
            "fragment: reach\nparameters: {{ required: [phone], properties: {{ phone: {{ type: string }} }} }}\nsteps:\n  - id: ring\n    run: Phone\n    config: {{ {key}: '{{{{param.phone}}}}', say: Hello }}\n"
        )
    };
    fs::create_dir(room.folder.path().join("shared")).unwrap();
    fs::write(room.folder.path().join("shared/reach.yml"), reach("too")).unwrap();
    room.open("shop.yml", shop);
    assert_eq!(room.shown("shop.yml", 1), []);
    let uri = room.uri("shared/reach.yml");
    let shown = room.editor.shown(&uri, None);
    let unknown = shown.iter().find(|one| one["code"] == "unknown-key").unwrap();
    assert_eq!(unknown["range"]["start"], json!({ "line": 5, "character": 14 }));
    let user = &unknown["relatedInformation"][0];
    assert_eq!(user["location"]["uri"], room.uri("shop.yml"));
    assert_eq!(user["location"]["range"]["start"]["line"], 2);

    let there = room.ask("definition", "shop.yml", 3, 15, &json!({}));
    assert_eq!(there["uri"], uri);
    assert_eq!(room.labels("shop.yml", 4, 14), ["phone"]);

    // What would be put right is in another file, so nothing is to be done in this one.
    let params = json!({
        "textDocument": { "uri": room.uri("shop.yml") },
        "range": { "start": { "line": 4, "character": 0 }, "end": { "line": 5, "character": 40 } },
        "context": { "diagnostics": [] },
    });
    assert_eq!(room.editor.ask("textDocument/codeAction", &params), json!([]));

    // Its steps have the name of the step that runs it, in the cases beside the sequence as well.
    let cases =
        "cases:\n  - case: a\n    when: { shop--ring: busy }\n    then: [{ +0m: shop--ring }]\n";
    fs::write(room.folder.path().join("shop.test.yml"), cases).unwrap();
    let renamed = room.ask("rename", "shop.yml", 2, 9, &json!({ "newName": "store" }));
    let changed = |file: &str| renamed["changes"][&room.uri(file)].as_array().map(Vec::len);
    assert_eq!((changed("shop.yml"), changed("shop.test.yml")), (Some(1), Some(2)), "{renamed}");

    // It is put right in the editor, and so for everybody who runs it.
    room.open("shared/reach.yml", &reach("to"));
    assert_eq!(room.shown("shared/reach.yml", 1), []);
}
