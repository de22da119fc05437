// Moves the figures that minigrad.lab.sliders makes; what the numbers in them mean is in
// minigrad/lab/frames.py. One copy serves every slider of a page, present or to come.
"use strict";
if (!window.bookSliders) {
  const POINTS = { M: 1, D: 1, L: 1, Q: 2, C: 3, Z: 0 };

  // In a notebook the pictures are images; what shall move must be part of the page.
  const unpack = (picture) => {
    const svgs = [picture.querySelector("img").src, picture.querySelector("source")?.srcset]
      .filter(Boolean).map((address, i) => {
        const bytes = Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0));
        const text = new TextDecoder().decode(bytes);
        const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
        svg.setAttribute("class", i ? "plot narrow" : "plot wide");
        return document.importNode(svg, true);
      });
    picture.replaceWith(...svgs);
  };
  window.bookSliders = unpack;

  // The coordinates of every frame from what each adds to those before it.
  const sum = (mark) => {
    const { counts, guess, moves } = mark, last = counts.at(-1);
    const frames = counts.reduce((a, b) => a * b), n = moves.length / frames;
    const all = Int32Array.from(moves);
    for (let f = 0; f < frames; f++) {
      const left = f % last ? 1 : 0, up = f >= last ? 1 : 0;
      for (let k = 0, i = f * n; k < n; k++, i++) {
        if (left) all[i] += all[i - n];
        if (up && !left) all[i] += all[i - last * n];
        if (up && left && guess & 2) all[i] += all[i - last * n] - all[i - last * n - n];
      }
    }
    if (guess & 1) {
      for (let f = 0; f < frames; f++) for (let k = 2; k < n; k++) all[f * n + k] += all[f * n + k - 2];
    }
    mark.all = all;
    mark.n = n;
    if (mark.base) for (let k = 1; k < mark.base.length; k++) mark.base[k] += mark.base[k - 1];
  };

  const open = (figure) => {
    if (figure.film) return figure.film;
    const picture = figure.querySelector("picture");
    if (picture) unpack(picture);
    const film = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    for (const mark of film.marks) if (mark.moves) sum(mark);
    film.pictures = [...figure.querySelectorAll("svg.plot")].map((svg) => {
      const marks = film.marks.map(() => []);
      for (const element of svg.querySelectorAll("[data-k]")) marks[element.dataset.k].push(element);
      return { marks, narrow: svg.classList.contains("narrow") };
    });
    return figure.film = film;
  };

  // The coordinates of a mark where the knobs are.
  const coordinates = (mark, knobs) => {
    const frame = mark.counts.reduce((f, count, j) => f * count + (count > 1 ? knobs[j] : 0), 0);
    const now = mark.all.subarray(frame * mark.n, (frame + 1) * mark.n);
    return mark.base ? mark.base.map((b, k) => mark.column[k] < 0 ? b : now[mark.column[k]]) : now;
  };

  const LETTERS = /([A-Z])(\d+)/g;

  // Each piece of a path where its middle leads, in its own shape.
  const rigid = (codes, at, map) => {
    let i = 0;
    return codes.split(/(?=M)/).map((piece) => {
      const points = [...piece.matchAll(LETTERS)].reduce((n, [, code, times]) => n + POINTS[code] * times, 0);
      const own = at.slice(i, i += 2 * points);
      const shift = [0, 1].map((axis) => {
        const along = own.filter((_, k) => k % 2 === axis);
        return (Math.min(...along) + Math.max(...along)) / 2 * (map[2 * axis] - 1) + map[2 * axis + 1];
      });
      return path(piece, own, [1, shift[0], 1, shift[1]]);
    }).join("");
  };

  const path = (codes, at, [a, b, c, d]) => {
    let text = "", i = 0;
    for (const [, code, times] of codes.matchAll(LETTERS)) {
      for (let t = +times; t--;) {
        text += code === "D" ? "M" : code;
        for (let k = POINTS[code]; k--; i += 2) {
          text += `${Math.round(a * at[i] + b)} ${Math.round(c * at[i + 1] + d)} `;
        }
        if (code === "D") text += "h0";
      }
    }
    return text;
  };

  const place = (element, mark, form, at, [a, b, c, d]) => {
    if (element.localName === "path") {
      return element.setAttribute("d", (mark.rigid ? rigid : path)(form, at, [a, b, c, d]));
    }
    const [x, y] = [Math.round(a * at[0] + b), Math.round(c * at[1] + d)];
    const turn = element.getAttribute("transform")?.replace(/^translate\(.*?\)/, `translate(${x} ${y})`);
    if (turn) return element.setAttribute("transform", turn);
    element.setAttribute("x", x);
    element.setAttribute("y", y);
  };

  const inputs = (figure) => [...figure.querySelectorAll(".knobs input")]
    .filter((input) => input.type === "range" || input.checked);

  const show = (figure) => {
    const film = open(figure), knobs = inputs(figure).map((input) => +input.value);
    const frame = film.counts.reduce((f, count, j) => f * count + knobs[j], 0);
    film.marks.forEach((mark, i) => {
      const which = mark.form ? mark.form[frame] : 0, form = mark.forms?.[Math.max(which, 0)];
      const source = mark.like === undefined ? mark : film.marks[mark.like];
      const at = source.moves && coordinates(source, knobs);
      for (const picture of film.pictures) {
        const map = picture.narrow ? film.maps[mark.axes] : [1, 0, 1, 0];
        for (const element of picture.marks[i]) {
          if (mark.form) element.setAttribute("visibility", which < 0 ? "hidden" : "visible");
          if (which < 0) continue;
          if (at) place(element, mark, form, at, map);
          if (form && element.localName === "text") {
            element.innerHTML = form[element.dataset.lang] ?? form;
          } else if (form && element.localName === "image") element.setAttribute("href", form);
        }
      }
    });
    for (const input of inputs(figure)) {
      if (input.type !== "range") continue;
      const value = JSON.parse(input.dataset.values)[input.value];
      input.setAttribute("aria-valuetext", value);
      input.parentNode.querySelector("output").value = value;
    }
  };

  const waiting = new Set();
  const soon = (figure) => {  // once a frame of the screen, however fast a knob is moved
    if (!waiting.size) requestAnimationFrame(() => {
      const figures = [...waiting];
      waiting.clear();
      figures.forEach(show);
    });
    waiting.add(figure);
  };

  // Playing moves the knob that was moved last, or the first, to its end.
  const stop = (figure) => {
    clearInterval(figure.playing);
    figure.playing = null;
    figure.querySelector(".play")?.setAttribute("aria-pressed", "false");
  };
  const play = (figure) => {
    if (figure.playing) return stop(figure);
    const knob = figure.knob ?? figure.querySelector("input[type=range]");
    const pace = Math.max(60, Math.min(600, 5000 / +knob.max));
    if (knob.value === knob.max) knob.value = 0;
    figure.querySelector(".play").setAttribute("aria-pressed", "true");
    figure.playing = setInterval(() => {
      if (!figure.isConnected || knob.value === knob.max) return stop(figure);
      knob.value = +knob.value + 1;
      soon(figure);
    }, pace);
    soon(figure);
  };

  // What can be grabbed leads the knobs to the frame in which it is nearest to the pointer.
  const lead = (figure, svg, event) => {
    const film = open(figure), mark = film.marks[film.grab];
    const source = mark.like === undefined ? mark : film.marks[mark.like];
    const [a, b, c, d] = svg.classList.contains("narrow") ? film.maps[mark.axes] : [1, 0, 1, 0];
    const pointer = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let nearest = Infinity, found = null;
    for (let f = source.counts.reduce((n, count) => n * count) - 1; f >= 0; f--) {
      let rest = f;
      const knobs = [...source.counts].reverse().map((count) => {
        const place = rest % count;
        rest = (rest - place) / count;
        return place;
      }).reverse();
      const [x, y] = coordinates(source, knobs);
      const distance = Math.hypot(a * x + b - pointer.x, c * y + d - pointer.y);
      if (distance < nearest) [nearest, found] = [distance, knobs];
    }
    inputs(figure).forEach((input, j) => { if (source.counts[j] > 1) input.value = found[j]; });
    soon(figure);
  };
  for (const kind of ["pointerdown", "pointermove"]) {
    document.addEventListener(kind, (event) => {
      const handle = event.target.closest?.("figure.slider .grab");
      if (!handle) return;
      if (kind === "pointerdown") {
        stop(handle.closest("figure"));
        handle.setPointerCapture(event.pointerId);
        event.preventDefault();
      } else if (handle.hasPointerCapture(event.pointerId)) {
        lead(handle.closest("figure"), handle.closest("svg.plot"), event);
      }
    });
  }

  document.addEventListener("input", (event) => {
    const figure = event.target.closest("figure.slider");
    if (!figure) return;
    stop(figure);
    if (event.target.type === "range") figure.knob = event.target;
    soon(figure);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("figure.slider .knobs button");
    const figure = button?.closest("figure.slider");
    if (!figure) return;
    if (button.className === "play") return play(figure);
    stop(figure);
    for (const input of figure.querySelectorAll(".knobs input")) {
      input.value = input.type === "range" ? input.defaultValue : input.value;
      input.checked = input.defaultChecked;
    }
    soon(figure);
  });
}
document.querySelectorAll("figure.slider picture").forEach(window.bookSliders);
