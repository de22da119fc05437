// Search: from the index of press/search.py, loaded script by script as a question needs it, so
// that it works on a page opened from disk too. `Search.ask` finds, `Search.show` shows.
"use strict";
const Search = (() => {
  const base = new URL("../", document.currentScript.src);
  const HAN = /[\u3400-\u9fff\uf900-\ufaff]/;
  const TOKENS = /([\u3400-\u9fff\uf900-\ufaff]+)|((?:(?![\u3400-\u9fff\uf900-\ufaff])[\p{L}\p{N}_])+)/gu;
  const STOP = new Set("a an and are as at be by do does for how in is it of on or s that the to vs what why with".split(" "));
  const ENDINGS = ["ings", "ing", "ers", "er", "ed", "es", "s"];
  const FIRST = 8;  // results, and as many more on demand

  // --- Loading -------------------------------------------------------------------------------------
  const given = {}, asked = {};
  const load = (name) => asked[name] ??= new Promise((done) => {
    const script = document.createElement("script");
    script.src = new URL(`_search/${name}.js`, base);
    script.onload = script.onerror = () => done(given[name]);
    document.head.append(script);
  });

  // --- Words, cut up as in press/search.py ---------------------------------------------------------
  const split = (text, inQuestion = false) => [
    ...[...text.toLowerCase().matchAll(TOKENS)].flatMap(([, han, other]) => {
      if (other) return /^\p{Nd}+$/u.test(other) && [...other].length !== 4 ? [] : [other];
      const all = [...han], pairs = all.slice(1).map((next, i) => all[i] + next);
      return inQuestion && pairs.length ? pairs : [...pairs, all.at(-1)];
    }),
    ...inQuestion ? [] : (text.toLowerCase().match(/[a-z]+(?:-[a-z]+)+/g) ?? []).map((word) => word.replaceAll("-", "")),
  ];

  const shard = (word) => {
    let number = 0;
    for (const letter of [...word].slice(0, HAN.test(word[0]) ? 1 : 2)) number = 31 * number + letter.codePointAt(0);
    return number % 128;
  };

  /** What a word may begin with to be the same word: "averages" asks for "average", "averaged", … */
  const stem = (word) => {
    const ending = /^[a-z]+$/.test(word)
      && ENDINGS.find((end) => word.endsWith(end) && word.length - end.length >= 4);
    return ending ? word.slice(0, -ending.length) : word;
  };

  const wordsOf = (question) => {
    const words = [...new Set(split(question, true))];
    const telling = words.filter((word) => !STOP.has(word));
    return (telling.length ? telling : words).slice(0, 30);
  };

  // --- Finding -------------------------------------------------------------------------------------
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho . sigma tau upsilon phi chi psi omega".split(" ");

  /** How else a word may be written: lambda is λ, and beta2 is β2, β_2 and β₂. */
  const letters = (word) => {
    const [, name, digit] = /^([a-z]+|[α-ω])_?([0-9₀-₉]?)$/.exec(word) ?? [];
    const letter = GREEK.includes(name) ? String.fromCodePoint(0x3b1 + GREEK.indexOf(name)) : name;
    if (!(letter >= "α")) return [];
    const same = letter === "ε" ? ["ε", "ϵ"] : [letter];
    const n = digit && digit.codePointAt(0) % 16, spelled = GREEK[letter.codePointAt(0) - 0x3b1];
    return digit === "" ? same
      : [...same, spelled].flatMap((one) => [`${one}_${n}`, one + n, one + String.fromCodePoint(0x2080 + n)]);
  };

  /** The numbers of the places that have a word, or one that it begins. */
  async function placesOf(word) {
    const found = await Promise.all([word, ...letters(word)].map(placesWith));
    return new Set(found.flatMap((set) => [...set]));
  }

  async function placesWith(word) {
    const known = await load(`w${shard(word)}`) ?? {};
    const begins = HAN.test(word[0]) ? [...word].length === 1 : word.length > 2;
    const start = stem(word);
    const found = new Set();
    for (const other of begins ? Object.keys(known) : [word]) {
      if (!Object.hasOwn(known, other) || !other.startsWith(start)) continue;
      let place = 0;
      for (const step of known[other]) found.add(place += step);
    }
    return found;
  }

  /** Pages with all the words: `{page, place, score}`, where `place` has most of them. With a `share`
   *  pages that have some: a word tells the more, the fewer places have it. */
  async function find(question, words, share = 1) {
    const { pages, places } = await load("places"), names = await namesOf();
    const sets = await Promise.all(words.map(placesOf));
    const tells = sets.map((set) => Math.log(1 + places.length / (1 + set.size)));
    const part = (mask) => tells.reduce((sum, tell, i) => sum + (mask >> i & 1) * tell, 0) / tells.reduce((a, b) => a + b, 0);
    const hits = new Map();
    sets.forEach((set, i) => { for (const place of set) hits.set(place, (hits.get(place) ?? 0) | 1 << i); });
    const all = 2 ** words.length - 1, found = new Map();
    for (const [place, mask] of [...hits].sort((a, b) => a[0] - b[0])) {
      const [page, anchor, title] = places[place];
      const one = found.get(page) ?? { page, mask: 0, full: 0, best: -1 };
      const own = title ? [title] : [anchor, anchor.split(".").pop()];  // Tensor.backward
      const also = (names.get(place) ?? []).map(([name]) => name);
      const exact = !title && question.includes(".") && `.${anchor.toLowerCase()}`.endsWith(`.${question}`);
      const score = Math.max(...[...own, ...also].map((name) => worth(name, question, words))) + 1000 * exact
        + 20 * [...mask.toString(2)].filter((bit) => bit === "1").length / words.length;
      if (score > one.best) Object.assign(one, { place, best: score });
      one.mask |= mask;
      one.full += mask === all;
      found.set(page, one);
    }
    const enough = (mask) => mask === all || share < 1 && part(mask) >= share;
    return [...found.values()].filter(({ mask }) => words.length && enough(mask)).map((one) => {
      const [, title, , twin] = pages[one.page];
      const named = Math.max(...[title, twin].filter(Boolean).map((text) => worth(text, question, words)));
      const place = named >= 100 && named >= one.best - 20 ? firstOf(one.page) : one.place;
      return { ...one, place, score: 2 * named + one.best + 8 * Math.log2(1 + one.full) - 400 * isList(one) };
    }).sort((a, b) => b.score - a.score);
  }
  /** What is explained at a place, by all the names of the glossary: place → `[name, term]`s. */
  const namesOf = async () => (await load("names") ?? []).reduce((all, [place, term, names]) =>
    all.set(place, [...all.get(place) ?? [], ...names.map((name) => [name, term])]), new Map());
  const isList = ({ page }) => given.places.pages[page][0].startsWith("back/");  // a chapter says more
  const firstOf = (page) => given.places.places.findIndex(([one]) => one === page);

  /** How well a title answers a question: it is it, begins with it, has it, is a word of it, has some. */
  function worth(title, question, words) {
    const low = clean(title), own = split(low);
    const close = (text) => text.replace(/[\s-]/g, "");  // batchnorm, cross entropy
    const has = low.includes(question) || question.length > 3 && close(low).includes(close(question));
    const share = words.filter((word) => own.some((one) => one.startsWith(stem(word)))).length / words.length;
    return 200 * (low === question) + 60 * low.startsWith(question) + 100 * has
      + 60 * words.includes(low) + 40 * share ** 2;
  }

  /** Whether two words differ by one slip: a letter too many, too few, wrong, or two exchanged. */
  function near(a, b) {
    if (Math.abs(a.length - b.length) > 1) return false;
    let i = 0;
    while (i < a.length && a[i] === b[i]) i += 1;
    const [x, y] = [a.slice(i), b.slice(i)];
    return x.slice(1) === y.slice(1) || x.slice(1) === y || x === y.slice(1)
      || x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2);
  }

  /** Questions that differ from one without an answer by one slip, likeliest first. */
  async function mended(question) {
    const found = [];
    for (const word of new Set(question.match(/[a-z]{4,}/g))) {
      if ((await placesOf(word)).size) continue;
      const others = (await load("spellings") ?? "").split(" ").filter((other) => near(word, other));
      found.push(...others.slice(0, 3).map((other) => question.replace(word, other)));
    }
    const letters = [...question];
    if (letters.length > 2) {
      letters.forEach((letter, i) => {
        if (HAN.test(letter)) found.push([...letters.slice(0, i), " ", ...letters.slice(i + 1)].join(""));
      });
    }
    return found;
  }

  // --- Formulas ------------------------------------------------------------------------------------
  const LIKE_FORMULA = /[\\√^=+*/≤≥]|\d\s*-\s*[\\a-zα-ω(]|[a-zα-ω]\(|(?<![a-z])[a-z]\s*-\s*[a-z](?![a-z])|sqrt|_hat|[₀-₉²\u0300-\u036f]/i;
  const SPELLED = [
    [/\\[td]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, "($1)/($2)"], [/\\[td]?frac\s*(\w)\s*(\w)/g, "$1/$2"],
    [/\\(?:wide)?hat\s*\{?\s*(\\?[a-z]+)\s*\}?|\b([a-z]+)_hat\b/g, "$1$2\u0302"],
    [/\\(?:bar|overline)\s*\{?\s*(\\?[a-z]+)\s*\}?/g, "$1\u0304"], [/\\(?:wide)?tilde\s*\{?\s*(\\?[a-z]+)\s*\}?/g, "$1\u0303"],
    [/\\?sqrt/g, "√"], [/\\sum|\bsum\b/g, "∑"], [/\\top/g, "t"], [/\\?\bnabla|\bgrad\b/g, "∇"], [/\\?\bpartial/g, "∂"],
    [/\\infty|\binf\b/g, "∞"], [/\bsigmoid\b/g, "σ"], [/\beps\b/g, "ε"], [/\*\*/g, "^"], [/<=|\\leq?\b/g, "≤"], [/>=|\\geq?\b/g, "≥"],
    [/\\lVert|\\rVert|\\Vert|\\\||\|\|/gi, "‖"], [/\\(?:cdot|times|odot|left|right|big|,|;|!|quad|mathrm|mathbb|text|operatorname)(?![a-z])/g, ""],
    [/\\?(?<![a-z])[a-z]+(?![a-z])/g, (name) => {
      const at = GREEK.indexOf(name.replace("\\", ""));
      return at < 0 ? name : String.fromCodePoint(0x3b1 + at);
    }],
    [/\\/g, ""],
  ];
  /** A formula without what people write in different ways: spaces, brackets, signs of products. */
  const bare = (text) => text.replace(/²/g, "^2").normalize("NFKD").toLowerCase()
    .replace(/[\s{}()[\]_*·×⊙∘,]/g, "").replace(/\^t(?![a-z0-9])/g, "t");
  const bared = new Map();  // of thousands of formulas, once
  const bareOf = (text) => bared.get(text) ?? bared.set(text, bare(text)).get(text);
  const formula = (question) => bare(SPELLED.reduce((text, [from, to]) => text.replace(from, (...found) =>
    typeof to === "function" ? to(found[0]) : to.replace(/\$(\d)/g, (_, n) => found[n] ?? "")), question.toLowerCase()));

  /** The pages that have a formula, best first: the whole of one, or a side of it; a part of one;
   *  letters in one. One with a number comes before others. */
  async function withFormula(question) {
    const wanted = LIKE_FORMULA.test(question) && !HAN.test(question) ? formula(question) : "";
    const hat = /[\u0300-\u036f]/.test(wanted);
    if (wanted.length < 3 && !hat) return [];
    const { places } = await load("places"), found = new Map();
    for (const [place, lines] of await load("formulas") ?? []) {
      for (const line of lines) {
        const [text, anchor, said] = Array.isArray(line) ? line : [line];
        const low = bareOf(text), at = low.indexOf(wanted);
        if (at < 0) continue;
        const ends = /[\p{L}\p{N}\u0300-\u036f]/u;
        const cut = ends.test(low[at - 1] ?? "") && ends.test(wanted[0])
          || ends.test(low[at + wanted.length] ?? "") && /[\p{L}\p{N}]/u.test(wanted.at(-1)) || low[at + wanted.length] === "\u0302";
        if (cut && wanted.length < 4 && !hat) continue;
        const whole = low.split(/[=≤≥≈∝<>]/).includes(wanted) || low === wanted;
        const [page] = places[place], one = found.get(page) ?? { page, best: -1, n: 0 };
        const best = (whole ? 20 : cut ? 0 : 10) + 5 * Boolean(said);
        if (best > one.best) Object.assign(one, { best, place, anchor, said, formula: text });
        one.n += 1;
        found.set(page, one);
      }
    }
    return [...found.values()].sort((a, b) => b.best - a.best || b.n - a.n);
  }

  const clean = (text) => text.trim().toLowerCase().replace(/\s+/g, " ").replace(/'/g, "’");

  /** What has a number: a chapter; an equation, a figure, a claim. */
  async function numbered(question) {
    const { pages } = await load("places");
    const chapter = pages.findIndex(([, , number]) => number && number === question);
    if (chapter >= 0) return [{ page: chapter, place: firstOf(chapter) }];
    const [, kind, number] = /^(\D*)(\d+\.\d+\.\d+)\)?$/.exec(question) ?? [];
    const known = number ? (await load("numbers"))[number] ?? [] : [];
    const named = known.filter(([, , said]) => said.toLowerCase().startsWith(kind));
    return (named.length ? named : known).map(([page, anchor, said]) => ({ page, place: firstOf(page), anchor, said }));
  }

  /** What a question finds: `{results}`, and `mended` if the question was, or `partly` if no page
   *  has all of its words. Few results are followed by those that have most words. */
  async function ask(text) {
    const question = clean(text), words = wordsOf(question);
    let results = await numbered(question);
    if (results.length || !question) return { results };
    const formulas = await withFormula(text.trim());
    if (formulas.length) {
      const others = (await find(question, words)).filter(({ page }) => formulas.every((one) => one.page !== page));
      return { results: [...formulas, ...others] };
    }
    results = await find(question, words);
    for (const other of results.length ? [] : await mended(question)) {
      const words = wordsOf(other), long = words.filter((word) => [...word].length > 1);
      results = await find(other.trim(), long.length ? long : words);
      if (results.length) return { results, mended: other };
    }
    if (results.length > 2) return { results };
    const more = (await find(question, words, 0.4)).filter(({ page }) => results.every((one) => one.page !== page));
    if (!more.length) return { results };
    const lists = results.filter(isList), chapters = results.filter((one) => !isList(one));
    return { results: [...chapters, ...more, ...lists], partly: !results.length };
  }

  // --- Showing -------------------------------------------------------------------------------------
  /** The sentence around the words, from the text if it has one, else from the code. */
  async function excerpt(place, question) {
    const { cuts } = given.places;
    const file = cuts.findLastIndex((cut) => cut <= place);
    const all = (await load(`t${file}`)) ?? [["", ""]];
    const texts = all.slice(place - cuts[file]).find((one) => one.join("")) ?? ["", ""];
    const words = wordsOf(question).sort((a, b) => b.length - a.length);
    const parts = [question, ...words, ...words.map(stem), ...words.flatMap(letters)];
    const lows = texts.map((one) => one.toLowerCase());
    let kind = 0, part = "";
    for (part of parts) {
      kind = lows.findIndex((low) => low.includes(part));
      if (kind >= 0) break;
    }
    if (kind < 0) [kind, part] = [texts[0] ? 0 : 1, ""];
    return cut(texts[kind], part ? lows[kind].indexOf(part) : 0, part.length, kind);
  }

  function cut(text, at, size, isCode) {
    const p = document.createElement("p");
    const length = /[\u4e00-\u9fff]/.test(text) ? 100 : 200;
    let start = Math.max(0, at - length / 4);
    while (start && start < at && /\w/.test(text[start - 1])) start += 1;  // not within a word
    let end = Math.min(text.length, Math.max(start + length, at + size));
    while (end > at + size && /\w\w/.test(text.slice(end - 1, end + 1))) end -= 1;
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + size);
    const line = isCode ? document.createElement("code") : p;
    line.append(start > 0 ? "…" : "", text.slice(start, at), size ? mark : "",
      text.slice(at + size, end), end < text.length ? "…" : "");
    if (isCode) p.append(line);
    return p;
  }

  async function item({ page, place, ...one }, question) {
    const { pages, places } = given.places;
    const [name, title, number, twin, part] = pages[page];
    const [, anchor, section] = one.said ? [page, one.anchor, one.said] : places[place];
    const top = !one.said && place === firstOf(page);
    const li = document.createElement("li"), link = document.createElement("a");
    const address = `${name}.html${top ? "" : `#${anchor}`}`;
    link.href = document.getElementById("results") ? address : new URL(address, base);
    const words = wordsOf(question), called = (name) => words.some((word) => clean(name).includes(word));
    const other = !called(title) && called(twin) ? ` (${twin})` : "";  // its name in the other language
    link.textContent = `${number} ${title}${other}${top ? "" : ` › ${section || anchor}`}`.trim();
    const small = document.createElement("small");
    const [, also, term] = (await namesOf()).get(place)?.map(([name, term]) => [worth(name, question, words), name, term])
      .sort((a, b) => b[0] - a[0]).find(([value, name, term]) => value >= 100 && clean(name) !== clean(term)) ?? [];
    small.textContent = also ? `${part} · ${also} = ${term}` : part;
    li.append(link, small);
    if (one.formula && one.said) li.append(cut(one.formula, 0, 0, 0));
    else if (!one.said) li.append(await excerpt(place, one.formula?.toLowerCase() ?? question));
    return li;
  }

  let latest = 0;
  /** Answer a question in `list`, and say in `found` how much there is; a later question wins. */
  async function show(text, list, found, most = FIRST) {
    const turn = ++latest;
    root.dataset.search = "asked";
    const { results, mended: other, partly } = text.trim() ? await ask(text) : { results: [] };
    const question = clean(other ?? text);
    const items = await Promise.all(results.slice(0, most).map((one) => item(one, question)));
    if (turn !== latest) return;
    list.replaceChildren(...items);
    if (found) {
      const { some, none, instead, part } = found.dataset;
      found.textContent = !text.trim() ? "" : !results.length ? none
        : some.replace("{n}", results.length) + (other ? instead.replace("{q}", other.trim()) : partly ? part : "");
      document.querySelector(".more").hidden = results.length <= most;
    }
    root.dataset.search = "done";
  }

  const give = (name, content) => { given[name] = content; };
  return { give, show, split, near };
})();

// --- The page of the search ------------------------------------------------------------------------
const list = document.getElementById("results");
if (list) {
  const input = document.querySelector(".ask input"), found = document.getElementById("found");
  const more = document.querySelector(".more");
  let most, waiting;
  const answer = (number) => { most = number; Search.show(input.value, list, found, most); };
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  answer(8);
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const query = input.value ? `?${new URLSearchParams({ q: input.value })}` : "";
      try { history.replaceState(null, "", query || location.pathname); } catch { /* from disk */ }
      for (const twin of document.querySelectorAll("a.twin")) twin.search = query;
      answer(8);
    }, 150);
  });
  more.addEventListener("click", () => answer(most + 12));
}
