// What is wrong with the lettering of the figures and sliders on this page, as text: letters that
// are too small, reach over the edge of their picture, or meet a line, a dot or other letters.
// A box that is drawn between a line and the letters covers the line. Each slider is looked at in
// the ends of its knobs and between them.
async () => {
  const GRID = "#e4e4e4", SMALLEST = 9.4, POSITIONS = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const seen = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // The lines of a path as lists of points; a dot is a list of one.
  const lines = (d) => {
    const all = [];
    let here = [0, 0], line = null;
    for (const [, letter, rest] of d.matchAll(/([mlqczh])([^mlqczh]*)/g)) {
      const numbers = (rest.match(/-?\d+/g) ?? []).map(Number);
      const length = { m: 2, l: 2, q: 4, c: 6 }[letter];
      if (letter === "z") line.push(here = line[0]);
      for (let i = 0; length && i < numbers.length; i += length) {
        const points = [here];
        for (let j = i; j < i + length; j += 2) points.push([here[0] + numbers[j], here[1] + numbers[j + 1]]);
        here = points.at(-1);
        if (letter === "m") all.push(line = [here]);
        else if (letter === "l") line.push(here);
        else for (let t = 0.125; t <= 1; t += 0.125) {  // de Casteljau
          let left = points;
          while (left.length > 1) {
            left = left.slice(1).map((p, k) => p.map((value, axis) => left[k][axis] * (1 - t) + value * t));
          }
          line.push(left[0]);
        }
      }
    }
    return all;
  };

  // How much of the line from a to b is in a box (Liang and Barsky 1984).
  const within = (a, b, box) => {
    const step = [b[0] - a[0], b[1] - a[1]];
    let first = 0, last = 1;
    for (const [speed, room] of [
      [-step[0], a[0] - box.left], [step[0], box.right - a[0]],
      [-step[1], a[1] - box.top], [step[1], box.bottom - a[1]],
    ]) {
      if (speed === 0 && room < 0) return 0;
      if (speed < 0) first = Math.max(first, room / speed);
      if (speed > 0) last = Math.min(last, room / speed);
    }
    return first < last ? Math.hypot(...step) * (last - first) : 0;
  };
  const wider = (box, by) =>
    ({ left: box.left - by, right: box.right + by, top: box.top - by, bottom: box.bottom + by });
  const common = (one, other) => ({
    left: Math.max(one.left, other.left), right: Math.min(one.right, other.right),
    top: Math.max(one.top, other.top), bottom: Math.min(one.bottom, other.bottom),
  });

  // The box of a text's letters without what its font leaves above and below; null if it is slanted.
  const letters = (text) => {
    const { left, right, top, bottom, width, height } = text.getBoundingClientRect();
    const angle = Number(/rotate\(([-\d.]+)/.exec(text.getAttribute("transform"))?.[1] ?? 0);
    if (Math.abs(angle) === 90) {
      return { left: left + 0.25 * width, right: right - 0.2 * width, top: top + 1, bottom: bottom - 1 };
    }
    if (angle) return null;
    return { left: left + 1, right: right - 1, top: top + 0.27 * height, bottom: bottom - 0.24 * height };
  };

  const inspect = (svg) => {
    const wrong = [], scale = svg.getScreenCTM().a, edge = svg.getBoundingClientRect();
    const marks = [...svg.querySelectorAll("path, text")].filter(seen);
    const strokes = marks.map((path) => {
      const stroke = path.getAttribute("stroke") ?? "none";
      const faint = Number(path.getAttribute("stroke-opacity") ?? 1) < 0.3;
      if (path.tagName !== "path" || stroke === "none" || stroke.toLowerCase() === GRID || faint) return null;
      const at = path.getScreenCTM(), box = path.parentElement.closest("svg");
      const drawn = lines(path.getAttribute("d")).map((line) =>
        line.map(([x, y]) => [at.a * x + at.c * y + at.e, at.b * x + at.d * y + at.f]));
      let clip = wider(edge, 0);
      if (box !== svg) {  // an svg inside clips
        const outer = svg.getScreenCTM(), [x, y, width, height] = ["x", "y", "width", "height"]
          .map((name) => box[name].baseVal.value * outer.a);
        clip = { left: outer.e + x, right: outer.e + x + width, top: outer.f + y, bottom: outer.f + y + height };
      }
      const paper = stroke.toLowerCase() === "#ffffff";  // hides, and does no harm
      return { drawn, clip, paper, half: 0.3 * scale * Number(path.getAttribute("stroke-width") ?? 1) };
    });
    const covers = (path, box) => {
      // A dot is drawn by a round pen.
      const dot = strokes[marks.indexOf(path)]?.drawn.find((line) => line.length === 1)?.[0];
      if (dot) {
        const radius = path.getAttribute("stroke-width") * path.getScreenCTM().a / 2;
        return Math.hypot(
          Math.max(box.right - dot[0], dot[0] - box.left), Math.max(box.bottom - dot[1], dot[1] - box.top),
        ) < radius;
      }
      if (path.tagName !== "path" || getComputedStyle(path).fill === "none"
        || Number(path.getAttribute("fill-opacity") ?? 1) < 0.55) return false;
      const back = path.getScreenCTM().inverse();
      return [[box.left, box.top], [box.right, box.top], [box.left, box.bottom], [box.right, box.bottom]]
        .every(([x, y]) => path.isPointInFill(new DOMPoint(x, y).matrixTransform(back)));
    };

    marks.forEach((text, place) => {
      if (text.tagName !== "text" || !text.textContent.trim()) return;
      const outer = text.getBoundingClientRect(), said = `“${text.textContent}”`;
      const size = parseFloat(getComputedStyle(text).fontSize) * scale;
      if (size < SMALLEST) wrong.push(`${said} is ${size.toFixed(1)} px high`);
      const box = letters(text), { top, bottom } = box ?? outer;
      const over = Math.max(edge.left - outer.left, outer.right - edge.right, edge.top - top, bottom - edge.bottom);
      if (over > 0.75) wrong.push(`${said} is cut by ${over.toFixed(1)} px`);
      if (!box) return;
      const length = strokes.reduce((sum, stroke, below) => {
        if (!stroke || stroke.paper) return sum;
        const room = wider(common(box, stroke.clip), stroke.half);
        if (room.left >= room.right || room.top >= room.bottom) return sum;
        let met = 0;
        for (const line of stroke.drawn) {
          if (line.length === 1) met += within(line[0], [line[0][0] + 1e-3, line[0][1]], room) && 4;
          for (let i = 1; i < line.length; i++) met += within(line[i - 1], line[i], room);
        }
        const covered = met && marks.slice(below + 1, place).some((mark) => covers(mark, box));
        return sum + (covered ? 0 : met);
      }, 0);
      if (length > 3) wrong.push(`${said} meets a line for ${length.toFixed(0)} px`);
      for (const other of marks.slice(place + 1)) {
        if (other.tagName !== "text" || !other.textContent.trim()) continue;
        const next = letters(other), both = next && common(box, next);
        if (both && both.right - both.left > 1 && both.bottom - both.top > 1) {
          wrong.push(`${said} meets “${other.textContent}”`);
        }
      }
    });
    return wrong;
  };

  const found = new Set();
  const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const look = (svg, number) => inspect(svg).forEach((wrong) => found.add(`picture ${number}: ${wrong}`));
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  let number = 0;
  for (const svg of document.querySelectorAll("figure svg, svg.plot")) {
    if (svg.parentElement.closest("svg") || !seen(svg) || svg.getBoundingClientRect().width < 100) continue;
    look(svg, ++number);
    const figure = svg.closest("figure.slider");
    const choices = [...(figure?.querySelectorAll("input[type=radio]") ?? [])];
    for (const choice of figure ? [...choices, null] : []) {
      choice?.click();
      for (const knob of figure?.querySelectorAll("input[type=range]") ?? []) {
        for (const part of POSITIONS) {
          knob.value = Math.round(Number(knob.min) + part * (knob.max - knob.min));
          knob.dispatchEvent(new Event("input", { bubbles: true }));
          await drawn();
          look(svg, number);
        }
      }
      await drawn();
      look(svg, number);
    }
  }
  return [...found];
}
