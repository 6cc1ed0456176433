use super::*;

#[test]
fn probe() {
    for text in [
"sequence: x y
descripton: foo
timezone: Europe/Zagrb
input: { type: object, properties: { a: { type: strng, pattern: 5, $ref: 'http://x' } } }
steps:
  - id: ring
    run: phone
  - id: ring
    run: Phone
    to: 5
    config: { too: 5, ringFor: 'abc', await: answred, from: +385123, detectMachine: 'true', ringFor: -1 }
    altNxt: rig
    retry: { attempts: 0, first: 10 secs, most: 5 s, factor: 'x' }
  - id: 2x
    run: GoTo
    config: { step: '{{x}}', times: 5000000000 }
    altNext: ring
    retry: 5
    next: ring
  - id: q
    run: GoTo
    config:
      step: rng
    next: end
",
"sequence: x
input: { properties: { restaurant: { type: object, properties: { phone: {} } } } }
steps:
  - { id: ring, run: Phone, config: { to: '{{restaurant.phne}} {{restarant.phone}} {{steps.rng.status}}' } }
  - { id: b, run: GoTo, config: { step: c } }
  - { id: x, run: Phone, config: { to: x } }
  - { id: y, run: Phone, config: { to: x } }
  - { id: c, run: GoTo, config: { step: b } }
  - { id: d, run: Phone, config: { to: '{{#if}' } }
",
    ] {
        let c = check(text, rungs_runners::builtin::KINDS);
        for d in &c.diagnostics {
            println!("{}\n  ({})", crate::diagnostic::render(d, "x.yml", text, false), d.pointer);
        }
    }
}
