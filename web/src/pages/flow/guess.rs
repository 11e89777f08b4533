//! What a model says of a flow: its likeliest classes, whether the first of them counts, and what decided.

use leptos::prelude::*;
use v1::page::{ClassShare, GuessDetail};

use crate::{
    groups,
    i18n::{Lang, Texts, word},
    parts::small::Mark,
    place::Place,
    terms,
};

/// The lines of the flow's list.
pub(super) fn guess(guess: &GuessDetail, t: &'static Texts, lang: Lang) -> impl IntoView + use<> {
    let [model, taken, unsure, unlike] = t.train.guessed;
    let percent = |it: f64| format!("{:.0}\u{a0}%", it * 100.0);
    let (confidence, threshold) = (percent(guess.confidence), percent(guess.threshold));
    let said = match (guess.is_taken, guess.is_unlike) {
        (true, _) => taken,
        (false, true) => unlike,
        (false, false) => unsure,
    };
    let said = said.replace("{confidence}", &confidence).replace("{threshold}", &threshold);
    let label = if guess.is_taken {
        let href = Place::flows(terms::term("guess", &guess.label)).hash();
        let written = groups::written(&guess.label, lang);
        view! { <a href=href><i class="guess">{written}" ?"</i></a> " " <span class="tag">{confidence}</span> }
            .into_any()
    } else {
        view! { <span class="tag">{word(&t.evidence_names, "unknown")}</span> }.into_any()
    };
    let rows = guess.likeliest.iter().map(|it| class(it, lang)).collect_view();
    let others = guess.classes.saturating_sub(guess.likeliest.len() as u64);
    let rest: f64 = 1.0 - guess.likeliest.iter().map(|it| it.share).sum::<f64>();
    let others = (others > 0).then(|| {
        let text = t.train.n_more_classes.with(others, lang);
        view! {
            <tr>
                <th scope="row" class="dim">{text}</th>
                <td class="num dim">{share(rest.max(0.0), lang)}</td>
                <td class="wide"></td>
            </tr>
        }
    });
    let causes = guess.causes.iter().map(|it| view! { <li>{lang.of(&it.words)}</li> });
    let causes = (!guess.causes.is_empty()).then(|| {
        view! { <p>{t.train.decided_by}</p> <ul class="causes dim">{causes.collect_view()}</ul> }
    });
    view! {
        <dt>{t.train.models_guess}</dt>
        <dd class="guessed">
            {label}
            " "
            <span class="dim">{model}" "{guess.model.clone()}</span>
            <p class="dim">{said}</p>
            <table class="bars likeliest">
                <thead>
                    <tr>
                        <th scope="col">{t.train.likeliest}</th>
                        <th scope="col" class="num">{t.train.probability}</th>
                        <td class="wide"></td>
                    </tr>
                </thead>
                <tbody>{rows} {others}</tbody>
            </table>
            {causes}
        </dd>
    }
}

fn class(it: &ClassShare, lang: Lang) -> impl IntoView + use<> {
    let colour = groups::class(&it.group);
    let width = format!("{:.1}%", (it.share * 100.0).clamp(0.6, 100.0));
    view! {
        <tr>
            <th scope="row" class="title">
                <Mark class=colour letter=groups::letter(&it.group) />
                {groups::written(&it.label, lang)}
            </th>
            <td class="num">{share(it.share, lang)}</td>
            <td class="wide"><div class=format!("track {colour}")><i style:width=width></i></div></td>
        </tr>
    }
}

/// A probability in percent; one that rounds to nothing or to all is not said to be that.
fn share(share: f64, lang: Lang) -> String {
    let point = |text: String| if lang == Lang::Ru { text.replace('.', ",") } else { text };
    match share * 100.0 {
        it if it > 0.0 && it < 0.1 => point("< 0.1\u{a0}%".to_owned()),
        it if it > 99.9 && it < 100.0 => point("> 99.9\u{a0}%".to_owned()),
        it => point(format!("{it:.1}\u{a0}%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(of: f64, lang: Lang, expected: &str) {
        assert_eq!(share(of, lang).replace('\u{a0}', " "), expected);
    }

    #[test]
    fn a_probability_is_never_rounded_to_certainty() {
        check(0.874, Lang::En, "87.4 %");
        check(0.874, Lang::Ru, "87,4 %");
        check(0.999_9, Lang::En, "> 99.9 %");
        check(0.000_2, Lang::Ru, "< 0,1 %");
        check(1.0, Lang::En, "100.0 %");
        check(0.0, Lang::En, "0.0 %");
    }
}
