//! `serverless.yml`, as its own tool reads it. It needs no account for that.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The version that the tests were written against.
const OSLS: &str = "osls@3.77.1";

/// What CloudFormation is given.
fn template(params: &[&str]) -> Value {
    let directory = project();
    let args = [&["package"], params].concat();
    osls(&directory, &args);
    let file = ".serverless/cloudformation-template-update-stack.json";
    serde_json::from_str(&fs::read_to_string(directory.path().join(file)).unwrap()).unwrap()
}

fn project() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let yml = concat!(env!("CARGO_MANIFEST_DIR"), "/serverless.yml");
    fs::copy(yml, directory.path().join("serverless.yml")).unwrap();
    // What is in the package is none of the tool's business.
    fs::write(directory.path().join("rungs.zip"), b"PK\x05\x06").unwrap();
    directory
}

fn osls(directory: &TempDir, args: &[&str]) -> String {
    let mut command = Command::new("node");
    command.arg(tool()).args(args).current_dir(directory);
    command.env("HOME", directory.path()).env("SLS_TELEMETRY_DISABLED", "1");
    run(&mut command)
}

/// The tool, installed under the target directory by the first test that needs it.
fn tool() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let home = target.join("it-node").join(OSLS);
    let (tool, ready) = (home.join("node_modules/osls/bin/serverless.js"), home.join("ready"));
    let lock = File::create(target.join("it-node.lock")).unwrap();
    lock.lock().unwrap();
    if !ready.exists() {
        fs::create_dir_all(&home).unwrap();
        let install = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
        run(Command::new("npm").args(install).arg(&home).arg(OSLS));
        File::create(&ready).unwrap();
    }
    tool
}

fn run(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let output = command.output().unwrap_or_else(|error| panic!("{shown} (needs npm): {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown} (needs npm): {said}{errors}");
    said
}

/// Every value under a key, however deep.
fn under<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(key));
            map.values().for_each(|value| under(key, value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| under(key, value, found)),
        _ => {}
    }
}

#[test]
fn the_tool_prints_and_packages_it() {
    let printed = osls(&project(), &["print"]);
    for words in ["provided.al2023", "rate(1 minute)", "RUNGS_FUNCTION: evaluate"] {
        assert!(printed.contains(words), "{printed}");
    }
    let template = template(&[]);
    let resources = &template["Resources"];
    for (name, function, concurrency) in
        [("Http", "http", 10), ("Intake", "intake", 5), ("Evaluate", "evaluate", 2)]
    {
        let of = &resources[format!("{name}LambdaFunction")]["Properties"];
        assert_eq!(of["Environment"]["Variables"]["RUNGS_FUNCTION"], function);
        assert_eq!(of["ReservedConcurrentExecutions"], concurrency);
        assert_eq!(
            (&of["Runtime"], &of["Architectures"]),
            (&json!("provided.al2023"), &json!(["arm64"]))
        );
        let log = &resources[format!("{name}LogGroup")]["Properties"];
        assert_eq!(log["RetentionInDays"], 30);
        assert!(of.get("VpcConfig").is_none());
    }
    let source = &resources["IntakeEventSourceMappingSQSRequestQueue"]["Properties"];
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    let queue = &resources["RequestQueue"]["Properties"];
    assert_eq!(queue["FifoQueue"], true);
    let dead = &queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0];
    assert_eq!(resources[dead.as_str().unwrap()]["Type"], "AWS::SQS::Queue");
    let time = resources["IntakeLambdaFunction"]["Properties"]["Timeout"].as_u64().unwrap();
    assert!(queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * time, "as AWS demands");
    assert_eq!(resources["HttpApi"]["Type"], "AWS::ApiGatewayV2::Api");
}

#[test]
fn every_setting_is_one_and_no_secret_stands_in_it() {
    let template = template(&[]);
    let mut variables = Vec::new();
    under("Variables", &template, &mut variables);
    assert_eq!(variables.len(), 3);
    for variables in variables {
        for (name, value) in variables.as_object().unwrap() {
            assert!(
                rungs::config::SETTINGS.iter().any(|setting| setting.env == name),
                "there is no setting {name}"
            );
            let secret = ["DATABASE_URL", "API_KEYS", "TOKEN", "SID", "HEARTBEAT"];
            if secret.iter().any(|word| name.contains(word)) && !name.contains("CONNECTIONS") {
                let value = value.as_str().unwrap();
                assert!(value.starts_with("{{resolve:secretsmanager:rungs/dev:"), "{value}");
                assert!(value.ends_with("}}"), "{value}");
            }
        }
    }
}

#[test]
fn each_function_may_do_what_it_needs_and_nothing_else() {
    let template = template(&[]);
    let resources = &template["Resources"];
    for (role, may) in [
        ("HttpRole", &["logs:"][..]),
        ("EvaluateRole", &["logs:"]),
        ("IntakeRole", &["logs:", "sqs:"]),
    ] {
        let role = &resources[role]["Properties"];
        assert_eq!(role["ManagedPolicyArns"], json!([]));
        let (mut actions, mut targets) = (Vec::new(), Vec::new());
        under("Action", &role["Policies"], &mut actions);
        under("Resource", &role["Policies"], &mut targets);
        for action in actions.iter().flat_map(|list| list.as_array().unwrap()) {
            let action = action.as_str().unwrap();
            assert!(
                !action.contains('*') && may.iter().any(|may| action.starts_with(may)),
                "{action}"
            );
        }
        assert!(targets.iter().all(|target| **target != json!("*")), "{targets:#?}");
    }
    assert!(resources.get("IamRoleLambdaExecution").is_none(), "no role is shared");
}

#[test]
fn somebody_is_woken_when_requests_wait_and_when_nothing_is_evaluated() {
    let template = template(&[]);
    let alarm = |name: &str| template["Resources"][name]["Properties"].clone();
    assert_eq!(alarm("QueueAgeAlarm")["MetricName"], "ApproximateAgeOfOldestMessage");
    assert_eq!(alarm("DeadLetterAlarm")["Threshold"], 0);
    let dead_man = alarm("DeadManAlarm");
    assert_eq!(dead_man["TreatMissingData"], "breaching");
    let runs = dead_man["Metrics"].as_array().unwrap();
    assert_eq!(runs[0]["Expression"], "FILL(invocations, 0) - FILL(errors, 0)");
    let of: Vec<&Value> =
        runs[1..].iter().map(|one| &one["MetricStat"]["Metric"]["MetricName"]).collect();
    assert_eq!(of, ["Invocations", "Errors"]);
    for name in ["QueueAgeAlarm", "DeadLetterAlarm", "DeadManAlarm"] {
        assert_eq!(alarm(name)["AlarmActions"], json!([{ "Ref": "AlarmTopic" }]));
    }
}

#[test]
fn the_functions_join_a_vpc_where_the_database_is() {
    let vpc = [
        "--param",
        "vpc=on",
        "--param",
        "subnets=subnet-1,subnet-2",
        "--param",
        "security-group=sg-1",
    ];
    let template = template(&vpc);
    for name in ["Http", "Intake", "Evaluate"] {
        let vpc =
            &template["Resources"][format!("{name}LambdaFunction")]["Properties"]["VpcConfig"];
        assert_eq!(vpc["SubnetIds"], json!({ "Fn::Split": [",", "subnet-1,subnet-2"] }));
        assert_eq!(vpc["SecurityGroupIds"], json!(["sg-1"]));
        let role = &template["Resources"][format!("{name}Role")]["Properties"];
        assert_eq!(role["ManagedPolicyArns"].as_array().unwrap().len(), 1);
    }
}
