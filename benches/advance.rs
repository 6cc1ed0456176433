//! `advance`: the pure part, on one core, without any database. What is counted is the time
//! that the kernel gave this thread, so that others on the machine do not matter.

use rungs_core::{News, advance};
use rungs_runners::{DeliveryStatus, DeliveryView};

use crate::{
    Size,
    figure::{Aim, Figure},
    sample,
};

pub fn round(_: Size) -> Vec<Figure> {
    vec![
        Figure::new("advance: control steps", "steps/s", 1e9 / control(), Aim::AtLeast(1e6)),
        Figure::new(
            "advance: a rendered notification",
            "µs",
            notification() / 1e3,
            Aim::AtMost(5.0),
        ),
    ]
}

fn control() -> f64 {
    let sequence = sample::sequence(&sample::control());
    let fresh = sample::process(&sequence, 1, sample::nine());
    per_visit(|| advance(&sequence, fresh.clone(), vec![], sample::nine()).visits)
}

/// A call with two templates: written, then heard to have been placed.
fn notification() -> f64 {
    let sequence = sample::sequence(
        r#"
sequence: ring
steps:
  - id: ring
    run: Phone
    config: { to: "{{restaurant.phone}}", say: "Hello! {{restaurant.name}} has {{order.count}} new orders." }
"#,
    );
    let fresh = sample::process(&sequence, 1, sample::nine());
    per_visit(|| {
        let ringing = advance(&sequence, fresh.clone(), vec![], sample::nine());
        let open = ringing.process.state.delivery.clone().expect("a delivery");
        let news = News::Delivery(DeliveryView { status: DeliveryStatus::Sent, ..open });
        let heard = advance(&sequence, ringing.process, vec![news], sample::nine());
        ringing.visits + heard.visits
    })
}

/// Nanoseconds per visit, over a second's worth of them.
fn per_visit(mut climb: impl FnMut() -> usize) -> f64 {
    let (before, mut visits, mut took) = (on_cpu(), 0_usize, 0);
    while took < 1_000_000_000 {
        visits += (0..100).map(|_| std::hint::black_box(climb())).sum::<usize>();
        took = on_cpu() - before;
    }
    took as f64 / visits as f64
}

/// Nanoseconds that this thread has spent on a CPU, as Linux counts them.
fn on_cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split_whitespace().next().and_then(|first| first.parse().ok()).expect("nanoseconds")
}
