//! What the vendor says and the connector does not, or in other letters.

use bowline_contract::pipeline::AssetEvent;

use super::*;

/// What is advised of jobs of which somebody changed the vendor's records and the events.
fn advised(change: impl Fn(i64, &mut Json, &mut Json)) -> Vec<String> {
    let mut witness = Witness::default();
    let (mut records, mut assets) = (Vec::new(), Vec::new());
    for number in 0..6 {
        let (mut record, mut asset) = job(number);
        change(number, &mut record, &mut asset);
        witness.see(&asset);
        records.push(record);
        assets.push(AssetEvent::new(asset));
    }
    witness.hear(&VendorAnswers {
        documents: vec![json!({ "jobs": records })],
        is_cut: false,
    });
    let testimony = witness.of_jobs(&assets);
    not_blamed(&testimony);
    testimony.advice
}

#[track_caller]
fn told(advice: &[String], words: &str) {
    assert!(
        advice.len() == 1 && advice[0].contains(words),
        "`{words}`: {advice:?}"
    );
}

#[test]
fn what_is_left_out_of_some_is_advised() {
    let without = |is_without: fn(i64) -> bool| {
        let mut events = events();
        for (run, event) in events.iter_mut().enumerate() {
            if is_without(run as i64) {
                event.as_object_mut().unwrap().remove("run_url");
            }
        }
        let testimony = of_runs(&records(), events);
        not_blamed(&testimony);
        testimony.advice
    };
    let some = without(|run| [1, 2, 4, 5].contains(&run));
    told(&some, "`run_url` is left out 4 times, such as of run `1`");
    assert_eq!(without(|run| run < 2), [""; 0], "two are few");
    assert_eq!(without(is_bad), [""; 0], "the vendor tells them apart");
    let of_owners = |vendors: fn(i64) -> String| {
        advised(move |number, record, asset| {
            record["owner"]["mail"] = if number < 3 {
                vendors(number).into()
            } else {
                record["owner"]["mail"].clone()
            };
            if number < 3 {
                asset.as_object_mut().unwrap().remove("owner");
            }
        })
    };
    told(
        &of_owners(|number| format!("ann{number}@e.example")),
        "`owner.primary_email` is left out 3 times",
    );
    for (vendors, why) in [
        (
            (|number| format!("account{number}")) as fn(i64) -> String,
            "no address",
        ),
        (|_| "nobody@e.example".to_owned(), "what stands for nothing"),
    ] {
        assert_eq!(of_owners(vendors), [""; 0], "{why}");
    }
}

#[test]
fn lists_of_which_all_lack_some_are_advised() {
    let mails = |given: fn(i64) -> usize| {
        advised(move |number, record, asset| {
            let all = ["a", "b"].map(|name| format!("{name}{number}@e.example"));
            record["notify"] = json!(all);
            asset["owner"]["notification_emails"] = json!(all[..given(number)]);
        })
    };
    told(&mails(|_| 1), "`owner.notification_emails` has 1 of 2");
    assert_eq!(mails(|_| 2), [""; 0]);
    assert_eq!(mails(|number| 1 + usize::from(number == 3)), [""; 0]);
}

#[test]
fn texts_in_other_letters_are_advised() {
    let text = |given: fn(String) -> String| {
        advised(move |number, record, asset| {
            let text = format!("Loads the orders of shop {number} into the warehouse");
            record["about"] = text.clone().into();
            asset["description"] = given(text).into();
        })
    };
    told(&text(|text| text.to_uppercase()), "`description` is `LOADS");
    told(
        &text(|text| text[..31].to_owned()),
        "`description` is `Loads",
    );
    assert_eq!(text(|text| text), [""; 0]);
    let mails = advised(|_, record, asset| {
        let mail = record["owner"]["mail"].as_str().unwrap().to_uppercase();
        asset["owner"]["primary_email"] = mail.into();
    });
    assert_eq!(mails, [""; 0], "the same address");
    assert_eq!(text(|text| format!("{text}, daily")), [""; 0]);
}
