//! The words about links to a view.

/// The words.
#[expect(missing_docs, reason = "each field is its message, to be read below")]
pub struct LinkTexts {
    pub what: &'static str,
    pub warning: &'static str,
    pub copy: &'static str,
    pub copy_without: &'static str,
    pub copied: &'static str,
    pub mark: &'static str,
    pub of_other: fn(&str) -> String,
    pub needs: fn(&str) -> String,
}

pub(super) const EN: LinkTexts = LinkTexts {
    what: "The link holds the view, its order and columns, and the capture's mark. Nothing of the capture is in it: whoever opens it needs the same file.",
    warning: "The filter is in the link, and what is opened: it may name addresses and hosts.",
    copy: "Copy link",
    copy_without: "Copy link without the filter",
    copied: "Link copied",
    mark: "The capture's mark:",
    of_other: |mark| {
        format!(
            "The link was made for another capture, with the mark {mark}. The view is the same; the numbers are this capture's."
        )
    },
    needs: |mark| {
        format!(
            "This link shows a view of the capture with the mark {mark}. Open that capture to see it."
        )
    },
};

pub(super) const RU: LinkTexts = LinkTexts {
    what: "В ссылке — вид, порядок, столбцы и отметка снимка. Самого снимка в ней нет: чтобы её открыть, нужен тот же файл.",
    warning: "В ссылке есть фильтр и то, что открыто: там могут быть адреса и имена узлов.",
    copy: "Скопировать ссылку",
    copy_without: "Скопировать без фильтра",
    copied: "Ссылка скопирована",
    mark: "Отметка снимка:",
    of_other: |mark| {
        format!(
            "Ссылка сделана для другого снимка, с отметкой {mark}. Вид тот же, а числа — этого снимка."
        )
    },
    needs: |mark| format!("Ссылка показывает вид снимка с отметкой {mark}. Откройте этот снимок."),
};
