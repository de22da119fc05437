"""Searching the built book, in a real browser: what is found, how it is shown, what it weighs."""

import gzip
import re

import pytest

from press.contents import contents, plan
from press.notebook import CHAPTERS, TWIN, Notebook
from press.plain import plain_tex
from press.search import split
from press.words import words

WEIGHT = 300_000  # bytes, compressed, that a first answer may cost, the page itself included
ADAM, GRAPH = "optimizers/adam", "autograd/computational-graph"
CROSS, CLIP = "losses/entropy-cross-entropy-kl", "optimizers/clipping-and-precision"

# (a question, the page that answers it): a page marked with ! comes first, any other is among the
# first five.
QUESTIONS = {
    "zh": [
        # the name of a chapter, a part of it, its name in the other language, its number
        ("Adam", f"!{ADAM}"), ("动量", "!optimizers/momentum"), ("动量法", "!optimizers/momentum"),
        ("momentum", "!optimizers/momentum"), ("计算图", f"!{GRAPH}"), ("交叉熵", f"!{CROSS}"),
        ("优化器", "optimizers/unified-view"), ("8.7", f"!{ADAM}"), ("前言", "!preface"),
        ("批归一化", "!normalization/batch-norm"), ("注意力", "!attention/attention"),
        ("RAdam", "!optimizers/radam"), ("牛顿法", "!optimization/newton"),
        ("学习率调度", "!optimizers/learning-rate-schedules"), ("术语", "!back/glossary"),
        # titles of sections, words of the text
        ("偏差修正", f"!{ADAM}"), ("两个平均", f"!{ADAM}"), ("尖峰的阴影", f"!{ADAM}"),
        ("指数移动平均", ADAM), ("链式法则", f"!{GRAPH}"), ("有限差分", GRAPH),
        ("峡谷", "optimizers/momentum"), ("权重衰减", "optimizers/adamw"), ("条件数", "optimizers/momentum"),
        ("损失缩放", CLIP), ("裁剪", f"!{CLIP}"), ("信任比", "optimizers/lars-lamb"),
        ("标签平滑", CROSS), ("小批量", "optimization/gradient-descent"), ("分组查询", "!attention/mqa-gqa"), ("温度", "losses/contrastive"), ("海森矩阵", "optimization/newton"),
        ("共轭方向", "optimization/conjugate-gradient"), ("Adam优化器", ADAM), ("动量 学习率", "optimizers/momentum"),
        # code, what it prints, formulas
        ("clip_grad_norm", CLIP), ("scaled_dot_product_attention", "attention/attention"),
        ("λ", "optimizers/adamw"), ("ϵ", ADAM), ("kaiming_normal", "back/api-init"),
    ],
    "en": [
        ("Adam", f"!{ADAM}"), ("momentum", "!optimizers/momentum"), ("动量法", "!optimizers/momentum"),
        ("computational graph", f"!{GRAPH}"), ("cross-entropy", f"!{CROSS}"),
        ("optimizer", "!optimizers/unified-view"), ("8.7", f"!{ADAM}"), ("preface", "!preface"),
        ("batch normalization", "!normalization/batch-norm"), ("attention", "!attention/attention"),
        ("RAdam", "optimizers/radam"), ("Newton", "!optimization/newton"),
        ("learning-rate schedules", "!optimizers/learning-rate-schedules"), ("glossary", "!back/glossary"),
        ("AdamW", "!optimizers/adamw"), ("softmax", "!activations/softmax"),
        ("bias correction", ADAM), ("two averages", f"!{ADAM}"), ("shadow of a spike", f"!{ADAM}"),
        ("moving averages", ADAM), ("chain rule", f"!{GRAPH}"), ("finite differences", GRAPH),
        ("ravine", "optimizers/momentum"), ("weight decay", "optimizers/adamw"),
        ("condition number", "optimization/conjugate-gradient"), ("loss scaling", CLIP), ("gradient clipping", CLIP),
        ("trust ratio", "optimizers/lars-lamb"), ("label smoothing", CROSS), ("grouped-query", "!attention/mqa-gqa"), ("temperature", "losses/contrastive"),
        ("Hessian", "optimization/newton"), ("conjugate directions", "optimization/conjugate-gradient"),
        ("topological order", GRAPH), ("AdaMax", ADAM),
        ("clip_grad_norm", CLIP), ("scaled_dot_product_attention", "attention/attention"),
        ("lambda", "optimizers/adamw"), ("epsilon", ADAM), ("kaiming_normal", "back/api-init"),
    ],
}  # fmt: skip
SLIPS = {  # one wrong letter or character, one too many, one too few, two exchanged
    "zh": [("Adma", f"!{ADAM}"), ("momentun", "!optimizers/momentum"), ("指数移动平钧", ADAM), ("交义熵", CROSS)],
    "en": [("Adma", f"!{ADAM}"), ("momentun", "!optimizers/momentum"), ("entrpy", CROSS), ("softmaxx", "!activations/softmax")],
}  # fmt: skip

SHOWN = """() => [...document.querySelectorAll("#results li")].map(li => [
  li.querySelector("a").getAttribute("href"), li.querySelector("a").innerText + " " + li.querySelector("small").innerText,
  li.querySelector("p")?.innerText ?? "", li.querySelector("mark")?.innerText ?? "",
  Boolean(li.querySelector("code"))])"""


def answers(tab, question: str) -> list[list[str]]:
    """``[address, title, excerpt, marked, whether it is code]`` of what is shown while a question is typed."""
    tab.evaluate("document.documentElement.dataset.search = ''")
    tab.fill(".ask input", question)
    tab.wait_for_function("() => document.documentElement.dataset.search === 'done'")
    return tab.evaluate(SHOWN)


def is_page(address: str, wanted: str) -> bool:
    """The reference is one page or one for each module."""
    return re.fullmatch(rf"{wanted}(-\w+)?\.html(#.*)?", address) is not None


def faults(tab, questions: list[tuple[str, str]]) -> list[str]:
    """What is wrong with the answers to questions."""
    found = []
    for question, wanted in questions:
        results = answers(tab, question)
        most = 1 if wanted[0] == "!" else 5
        if not any(is_page(one[0], wanted.lstrip("!")) for one in results[:most]):
            found.append(f"{question}: {[one[0] for one in results[:5]]}")
        for _, title, excerpt, marked, is_code in results:
            if not 3 < len(excerpt) < 260 or (not is_code and re.search(r"\\[a-z]|\$|\s{2}", excerpt)):
                found.append(f"{question}: excerpt {excerpt!r}")
            titled = any(word[:4] in title.lower() for word in [question, *split(question)])
            if not (marked and marked in excerpt) and not titled and question not in dict(SLIPS["zh"] + SLIPS["en"]):
                found.append(f"{question}: {title}: no word of it in {excerpt!r}")
    return found


@pytest.mark.parametrize("edition", TWIN)
@pytest.mark.parametrize("place", ["served", "from disk"])
def test_questions_are_answered(place, edition, tab, address, site):
    tab.goto(f"{address if place == 'served' else site.as_uri()}/{edition}/search.html")
    assert len(QUESTIONS[edition]) >= 40
    assert faults(tab, QUESTIONS[edition] + SLIPS[edition]) == []


def test_a_wrong_answer_is_noticed(tab, address):
    tab.goto(f"{address}/zh/search.html")
    assert len(faults(tab, [("Adam", "!preface"), ("计算图", f"!{GRAPH}")])) == 1


@pytest.mark.parametrize("edition", TWIN)
def test_the_name_of_a_chapter_finds_it_first(edition, tab, address):
    tab.goto(f"{address}/{edition}/search.html")
    for entry in (entry for part in plan(contents()["meta"]) for entry in part.entries):
        if not entry.title:
            title = Notebook(CHAPTERS / f"{entry.name}.ipynb").headings(edition)[0]
            title = re.sub(r"\$([^$]*)\$", lambda tex: plain_tex(tex[1]), title).replace("`", "")
            assert answers(tab, title)[0][0] == f"{entry.name}.html", title


#: As engineers and students type: in one word, with an apostrophe, as the code spells it, as a question.
TYPED = {
    "zh": [("batchnorm", "normalization/batch-norm"), ("crossentropy", CROSS), ("Newton's method", "optimization/newton"),
           ("optim.adam", "back/api-optim"), ("Tensor.backward", "back/api-tensors")],
    "en": [("batchnorm", "normalization/batch-norm"), ("crossentropy", CROSS), ("newton's method", "optimization/newton"),
           ("Newton’s method", "optimization/newton"), ("Adam's", ADAM), ("Adma's", ADAM), ("optim.adam", "back/api-optim"),
           ("layernorm vs rmsnorm", "normalization/rms-norm"), ("why does batch norm help", "normalization/batch-norm")],
}  # fmt: skip


SCHEDULES, REGRESSION, WEIGHTS = "optimizers/learning-rate-schedules", "losses/regression", "optimizers/adam-then-sgd"
INIT, GLU, RESIDUAL = "initialization/lecun-xavier-he", "activations/gated-linear-units", "normalization/residual-and-norm"
#: By another name than the book's, which the glossary knows: the page that explains the thing comes first.
CALLED = {
    "zh": [("Kaiming", INIT), ("何恺明初始化", INIT), ("重球法", "optimizers/momentum"), ("学习率预热", SCHEDULES), ("余弦衰减", SCHEDULES),
           ("梯度截断", CLIP), ("批规范化", "normalization/batch-norm"), ("层标准化", "normalization/layer-norm"), ("跳连", RESIDUAL),
           ("相对熵", CROSS), ("逻辑损失", CROSS), ("NLL", CROSS), ("最大似然估计", CROSS), ("MSE", REGRESSION), ("弹球损失", REGRESSION),
           ("罚函数", "optimization/lagrange-multipliers"), ("铰链损失", "losses/ranking"), ("难例挖掘", "losses/contrastive"),
           ("SwiGLU", GLU), ("Polyak 平均", WEIGHTS), ("梯度弥散", "activations/sigmoid-tanh"), ("SGD", "optimization/gradient-descent")],
    "en": [("Kaiming", INIT), ("MSRA init", INIT), ("L2 regularization", "optimizers/adamw"), ("Tikhonov", "optimizers/adamw"),
           ("heavy ball", "optimizers/momentum"), ("NAG", "optimizers/nesterov"), ("Nesterov momentum", "optimizers/nesterov"),
           ("warmup", SCHEDULES), ("WSD schedule", SCHEDULES), ("cosine annealing", SCHEDULES), ("lr finder", SCHEDULES),
           ("backprop", GRAPH), ("autodiff", GRAPH), ("skip connection", RESIDUAL), ("relative entropy", CROSS), ("NLL", CROSS),
           ("logistic loss", CROSS), ("log loss", CROSS), ("pinball loss", REGRESSION), ("least absolute deviations", REGRESSION),
           ("SwiGLU", GLU), ("Polyak averaging", WEIGHTS), ("iterate averaging", WEIGHTS), ("LTR", "losses/ranking")],
}  # fmt: skip


@pytest.mark.parametrize("edition", TWIN)
def test_another_name_leads_to_what_it_is_the_name_of(edition, tab, address):
    tab.goto(f"{address}/{edition}/search.html")
    first = {name: answers(tab, name)[:1] for name, _ in CALLED[edition]}
    missed = {name: first[name] for name, page in CALLED[edition] if not first[name] or not is_page(first[name][0][0], page)}
    assert missed == {}
    known = {"zh": ("梯度截断", "梯度截断 = 梯度裁剪"), "en": ("relative entropy", "relative entropy = KL divergence")}
    name, said = known[edition]
    assert said in first[name][0][1], "where it is not the book's own word, it is said which one is"


#: As one types a formula, and a page that comes among the first three.
FORMULAS = [
    ("1/sqrt(d)", "attention/attention"), (r"1/\sqrt{d}", "attention/attention"), ("QK^T", "attention/attention"),
    ("x*sigmoid(x)", "activations/gelu-silu-swish"), ("x σ(x)", "activations/gelu-silu-swish"), (r"\hat m", f"!{ADAM}"), ("m_hat", f"!{ADAM}"), ("1-beta1^t", ADAM), ("1-β₁^t", ADAM),
    ("2/eta", "optimization/edge-of-stability"), ("p-y", "activations/softmax"), ("eta*lambda", "optimizers/adamw"), ("(1-p)^gamma", "losses/focal"),
]  # fmt: skip


@pytest.mark.parametrize("edition", TWIN)
def test_a_formula_is_found_as_it_is_typed(edition, tab, address):
    tab.goto(f"{address}/{edition}/search.html")
    found = {typed: answers(tab, typed) for typed, _ in FORMULAS}
    for typed, page in FORMULAS:
        first = found[typed][: 1 if page[0] == "!" else 3]
        assert any(is_page(href, page.lstrip("!")) for href, *_ in first), (typed, first)
    numbered = [one for all_ in found.values() for one in all_ if "#equation-" in one[0]]
    assert numbered and all(re.search(r"\(\d+\.\d+\.\d+\)", title) and text for _, title, text, *_ in numbered)
    for words_ in ("layernorm/rmsnorm", "pre-norm", "C++"):  # no formula, though it looks like one
        assert not any("#equation-" in href for href, *_ in answers(tab, words_)), words_


@pytest.mark.parametrize("edition", TWIN)
def test_questions_are_answered_however_they_are_typed(edition, tab, address):
    tab.goto(f"{address}/{edition}/search.html")
    first = {question: answers(tab, question)[0][0] for question, _ in TYPED[edition]}
    assert [question for question, page in TYPED[edition] if not is_page(first[question], page)] == []
    for spelled in ("β2", "β_2", "β₂", "beta2", "beta_2"):
        found = answers(tab, spelled)
        assert len(found) == 8 and any(is_page(href, ADAM) for href, *_ in found[:3]), spelled


def test_few_results_are_followed_by_those_with_most_words(tab, address):
    tab.goto(f"{address}/zh/search.html")
    found = [address for address, *_ in answers(tab, "学习率预热")]
    assert any(is_page(one, "optimizers/learning-rate-schedules") for one in found[:5])
    found = [href for href, *_ in answers(tab, "layernorm vs rmsnorm 峡谷")]
    assert not found[0].startswith("back/"), "of lists, which have all words, comes none first"
    assert words("page", "zh")["partly"] not in tab.locator("#found").inner_text(), "one has them all"
    tab.goto(f"{address}/en/search.html")
    assert answers(tab, "layernorm vs rmsnorm torch ravine")
    assert words("page", "en")["partly"] in tab.locator("#found").inner_text()


@pytest.mark.parametrize("question, anchors", [
    ("8.7.3", ["equation-eq-adam-", "figure-", "claim-adam-"]), ("(8.7.3)", ["equation-eq-adam-"]),
    ("{figure} 8.7.3", ["figure-"]), ("{claim}8.7.3", ["claim-adam-"]),
])  # fmt: skip
@pytest.mark.parametrize("edition", TWIN)
def test_a_number_leads_to_what_has_it(edition, question, anchors, tab, address, site):
    tab.goto(f"{address}/{edition}/search.html")
    said = {kind: words("page", edition)[kind].format("").strip() for kind in ("figure", "claim")}
    found = answers(tab, question.format(**said))
    page = (site / edition / f"{ADAM}.html").read_text(encoding="utf-8")
    assert len(found) == len(anchors)
    for (href, title, *_), anchor in zip(found, anchors):
        assert href.startswith(f"{ADAM}.html#{anchor}") and "8.7.3" in title
        place = page.index(f'id="{href.partition("#")[2]}"')
        assert re.search(r'class="(?:eqno|number)">\D*([\d.]+)', page[place:])[1] in ("3", "8.7.3")


@pytest.mark.parametrize("edition", TWIN)
@pytest.mark.parametrize("name", ["kaiming_normal", "backward", "minigrad.optim.AdamW", "ScheduleFreeSGD"])
def test_a_name_of_minigrad_is_found(name, edition, tab, address):
    tab.goto(f"{address}/{edition}/search.html")
    there = [href for href, *_ in answers(tab, name) if href.startswith("back/api")]
    assert there and there[0].endswith(name), there


@pytest.mark.parametrize("edition", TWIN)
@pytest.mark.parametrize("question", ["adam", "gradient descent", "指数移动平均", "momentum of the gradient in adam"])
def test_a_first_answer_is_light(question, edition, browser, address):
    context = browser.new_context()
    tab, came = context.new_page(), []
    tab.on("response", lambda response: came.append(response))
    tab.goto(f"{address}/{edition}/search.html?q={question}")
    tab.wait_for_function("() => document.documentElement.dataset.search === 'done'")
    bodies = [one.body() for one in came if not one.url.endswith((".woff", ".woff2"))]
    assert len(bodies) > 5 and sum(len(gzip.compress(body)) for body in bodies) < WEIGHT
    context.close()


def test_nothing_is_found_where_there_is_nothing(tab, address):
    tab.goto(f"{address}/zh/search.html?q=量子色动力学")
    tab.wait_for_function("() => document.documentElement.dataset.search === 'done'")
    assert tab.evaluate(SHOWN) == []
    assert tab.locator("#found").inner_text() == words("page", "zh")["no_results"]


def test_more_results_on_demand_and_the_question_is_kept(tab, address):
    tab.goto(f"{address}/en/search.html")
    assert len(answers(tab, "gradient")) == 8
    tab.click("button.more")
    tab.wait_for_function("() => document.querySelectorAll('#results li').length === 20")
    assert tab.url.endswith("search.html?q=gradient")
    assert tab.locator("a.twin").get_attribute("href").endswith("/zh/search.html?q=gradient")


@pytest.mark.parametrize("key", ["/", "Control+k"])
@pytest.mark.parametrize("page", [f"zh/{ADAM}.html", "en/index.html", "index.html"])
def test_a_key_leads_to_the_field_which_answers_while_one_types(page, key, tab, address, site):
    for start in (address, site.as_uri()):
        tab.goto(f"{start}/{page}")
        tab.keyboard.press(key)
        tab.keyboard.type("momentum")
        hits = tab.locator(".hits a:visible")
        hits.first.wait_for()
        edition = page[:2] if "/" in page else "en"
        assert tab.locator("input:focus").input_value() == "momentum", "the key itself is not typed"
        tab.keyboard.press("ArrowDown")
        tab.keyboard.press("Enter")
        tab.wait_for_url(f"**/{edition}/optimizers/momentum.html")
        tab.go_back()


def test_a_question_from_a_page(tab, address):
    tab.goto(f"{address}/zh/{ADAM}.html")
    tab.fill("header input[name=q]", "链式法则")
    tab.press("header input[name=q]", "Enter")
    tab.wait_for_url("**/search.html?q=*")
    tab.wait_for_function("() => document.documentElement.dataset.search === 'done'")
    tab.locator("#results a").first.click()
    tab.wait_for_url(f"**/{GRAPH}.html*")


def test_python_and_javascript_split_alike(tab, address):
    phrases = [
        "优化器", "Adam优化器", "β1 = 0.9，偏差修正", "指数移动平均 (EMA)", "a_b c-d é ñ 2019年", "，。",
        "Σ|x|²", "RMSProp 与 Adam：区别", "Warm-up, mini-batch-wise", "20190 19", "",
    ]  # fmt: skip
    tab.goto(f"{address}/zh/search.html")
    for phrase in phrases:
        assert tab.evaluate("phrase => Search.split(phrase)", phrase) == split(phrase)


@pytest.mark.parametrize("one, other, is_near", [
    ("adam", "adma", True), ("adam", "adm", True), ("adam", "addam", True), ("adam", "adim", True),
    ("adam", "amda", False), ("adam", "adagrad", False), ("adam", "dama", False),
])  # fmt: skip
def test_one_slip(one, other, is_near, tab, address):
    tab.goto(f"{address}/zh/search.html")
    assert tab.evaluate("pair => Search.near(...pair)", [one, other]) == is_near


def test_descriptions_lose_no_formula(site):
    for edition in TWIN:
        html = (site / edition / "optimizers" / "momentum.html").read_text(encoding="utf-8")
        said = re.search(r'<meta name="description" content="([^"]*)"', html)[1]
        assert "L(u, v) = 1/2(u^2 + κ v^2)" in said
        texts = [file.read_text(encoding="utf-8") for file in (site / edition / "_search").glob("t*.js")]
        assert sum(text.count("λ") for text in texts) > 300
        assert any("m̂_t" in text for text in texts), "also where it stands by itself"
        assert not any("et al. )" in text for text in texts), "where a citation stood there is no gap"
