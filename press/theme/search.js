// Search: Sphinx's index finds the pages, the pages' own text (loaded when needed) gives the excerpts.
// All of it comes by <script>, so it works on a page opened from disk too.
"use strict";
const LIMIT = 20;
const question = (new URLSearchParams(location.search).get("q") ?? "").trim();
const texts = new Map();

const Search = {
  setIndex(index) { show(index); },
  setText(page, sections) { texts.set(page, sections); },
};

/** The words to look for, cut and stemmed as they were when the index was made. */
function wordsOf(query) {
  const split = typeof splitQuery === "function" ? splitQuery
    : (text) => text.match(/[\p{L}\p{N}_]+/gu) ?? [];
  const stemmer = new Stemmer();
  const words = split(query).map((word) => word.toLowerCase());
  const telling = words.filter((word) => !stopwords.includes(word));
  return [...new Set((telling.length ? telling : words).map((word) => stemmer.stemWord(word)))];
}

/** Pages that have every word, best first: [page number, score]. A word may also begin a longer one. */
function findPages(index, query) {
  const words = wordsOf(query);
  const pages = new Map();
  for (const word of words) {
    const scores = new Map();
    for (const [terms, weight] of [[index.terms, 1], [index.titleterms, 10]]) {
      const matches = word.length > 2 && !/[\u3400-\u9fff]/.test(word)
        ? Object.keys(terms).filter((term) => term.startsWith(word)) : [word];
      for (const term of matches) {
        if (!Object.hasOwn(terms, term)) continue;
        const weighted = term === word ? weight : weight / 2;
        for (const page of [terms[term]].flat()) {
          scores.set(page, Math.max(scores.get(page) ?? 0, weighted));
        }
      }
    }
    for (const [page, score] of scores) {
      const [count, sum] = pages.get(page) ?? [0, 0];
      pages.set(page, [count + 1, sum + score]);
    }
  }
  return [...pages].filter(([, [count]]) => count === words.length)
    .map(([page, [, sum]]) => [page, sum / words.length]);
}

function loadText(page) {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = `_text/${page}.js`;
    script.onload = script.onerror = resolve;
    document.head.append(script);
  });
}

/** Where in a page: the section that says it best, and the sentence around the words. */
function bestSection(sections, query) {
  const whole = query.toLowerCase();
  const parts = [whole, ...wordsOf(query).sort((a, b) => b.length - a.length)];
  let best = null;
  sections.forEach(([anchor, title, text], i) => {
    const [lowTitle, lowText] = [title.toLowerCase(), text.toLowerCase()];
    const score = 100 * lowTitle.includes(whole) + 10 * lowText.includes(whole)
      + parts.filter((part) => lowTitle.includes(part)).length
      + parts.filter((part) => lowText.includes(part)).length / 10 - i / 1000;
    if (best && score <= best.score) return;
    const part = parts.find((word) => lowText.includes(word) && !/^[\u3400-\u9fff]$/.test(word));
    best = { anchor, title, text, score, part, first: i === 0, at: part ? lowText.indexOf(part) : 0 };
  });
  best.text ||= sections.find(([, , text]) => text)?.[2] ?? "";  // a title alone says little
  return best;
}

function excerpt({ text, part, at }) {
  const p = document.createElement("p");
  const length = root.lang.startsWith("zh") ? 100 : 200;
  let start = Math.max(0, at - length / 4);
  while (start && start < at && /\w/.test(text[start - 1])) start += 1;  // not within a word
  const end = Math.min(text.length, start + length);
  const stop = part ? Math.min(end, at + part.length) : at;
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, stop);
  p.append(start > 0 ? "…" : "", text.slice(start, at), mark, text.slice(stop, end),
    end < text.length ? "…" : "");
  return p;
}

async function show(index) {
  const found = document.getElementById("found");
  for (const input of document.querySelectorAll("input[name=q]")) input.value = question;
  if (!question) return;
  const pages = findPages(index, question).sort((a, b) => b[1] - a[1]).slice(0, LIMIT);
  const whole = question.toLowerCase();
  await Promise.all(pages.map(([page]) => loadText(index.docnames[page])));
  const results = pages.map(([page, score]) => {
    const best = bestSection(texts.get(index.docnames[page]) ?? [["", index.titles[page], ""]], question);
    const title = index.titles[page].toLowerCase();
    // Adam before RAdam, and what begins with the words before what has them somewhere
    const inTitle = title.includes(whole) + title.startsWith(whole) + (title === whole);
    const list = /(^|\/)back\//.test(index.docnames[page]);  // a chapter says more than a list
    return { page, best, score: score + best.score + 1000 * inTitle - 20 * list };
  }).sort((a, b) => b.score - a.score);

  found.textContent = results.length ? found.dataset.some.replace("{n}", results.length)
    : found.dataset.none;
  document.getElementById("results").append(...results.map(({ page, best }) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `${index.docnames[page]}.html${best.first ? "" : `#${best.anchor}`}`;
    link.textContent = index.titles[page] + (best.first ? "" : ` › ${best.title}`);
    item.append(link, excerpt(best));
    return item;
  }));
  root.dataset.search = "done";
}
