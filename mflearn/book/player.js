// Shows the explorers of a page that has no Python: states computed and recorded ahead (replay.py) are drawn on a canvas.
(() => {
  const make = (name, parent, properties = {}) => parent.appendChild(
    Object.assign(document.createElement(name), properties));

  const unpack = packed => {
    const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  };

  const picture = async (type, data) => {
    const image = new Image();
    image.src = `data:image/${type};base64,${data}`;
    await image.decode();
    return image;
  };

  // The outline whose corners are these differences, in fifths of a pixel.
  const outline = (differences, { begins, closed }) => {
    const path = new Path2D(), starts = new Set(begins);
    for (let i = 0, x = 0, y = 0; i < differences.length / 2; i++) {
      x += differences[2 * i] / 5; y += differences[2 * i + 1] / 5;
      if (i && !starts.has(i)) path.lineTo(x, y);
      else { if (i && closed) path.closePath(); path.moveTo(x, y); }
    }
    if (closed) path.closePath();
    return path;
  };

  // `move` brings a line that was recorded on other axes to those of now.
  const paint = (pen, operation, { styles, outlines, sheet, family }, move = new DOMMatrix()) => {
    const { points, shape, text, box, colours, columns, tile } = operation;
    if (colours) {
      const rows = colours.length / columns, [left, top, width, height] = box;
      colours.forEach((colour, i) => {
        const row = Math.floor(i / columns), x = Math.round(i % columns * width / columns);
        const y = Math.round(row * height / rows);
        pen.fillStyle = colour || "transparent";
        pen.fillRect(left + x, top + y, Math.round((i % columns + 1) * width / columns) - x,
          Math.round((row + 1) * height / rows) - y);
      });
      return;
    }
    if (tile !== undefined) {
      const { image, across, width, height } = sheet, palette = sheet.palettes[operation.palette];
      const brush = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
      brush.drawImage(image, -(tile % across) * width, -Math.floor(tile / across) * height);
      const pixels = brush.getImageData(0, 0, width, height);
      for (let i = 0; i < pixels.data.length; i += 4) {
        const shade = 3 * pixels.data[i];
        for (let j = 0; j < 3; j++) pixels.data[i + j] = palette[shade + j];
      }
      brush.putImageData(pixels, 0, 0);
      pen.imageSmoothingEnabled = false;
      pen.drawImage(brush.canvas, ...box);
      return;
    }
    const [stroke, fill, width, dashes, join, cap, clip] = styles[operation.style];
    pen.save();
    if (clip) { pen.beginPath(); pen.rect(...clip); pen.clip(); }
    Object.assign(pen, { strokeStyle: stroke, fillStyle: fill || "transparent", lineWidth: width, lineJoin: join, lineCap: cap });
    pen.setLineDash(dashes);
    const draw = path => { if (fill) pen.fill(path); if (width) pen.stroke(path); };
    if (text) {
      pen.fillStyle = stroke; pen.font = `${operation.size}px ${family}`;
      pen.fillText(text, ...operation.at);
    } else if (shape) {
      const mark = outline(outlines[shape], operation), steps = outlines[points];
      for (let i = 0, x = 0, y = 0; i < steps.length; i += 2) {
        x += steps[i] / 5; y += steps[i + 1] / 5;
        const place = move.transformPoint({ x, y });
        pen.translate(place.x, place.y);
        draw(mark);
        pen.translate(-place.x, -place.y);
      }
    } else {
      const path = new Path2D();
      path.addPath(outline(outlines[points], operation), move);
      draw(path);
    }
    pen.restore();
  };

  const ask = (question, root, name, reveal) => {
    const group = make("fieldset", root), legend = make("legend", group);
    group.style.cssText = "border: 0; margin: 0; padding: 2px";
    legend.style.cssText = "padding: 0; font-size: inherit";
    make("b", legend, { textContent: "Predict first. " });
    legend.append(question.text);
    const row = make("div", group), line = make("p", group, { textContent: "Choose one, then press the button." });
    row.style.cssText = "display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: center; margin: 6px 0";
    line.style.cssText = "margin: 0 0 6px; min-height: 3em; line-height: 1.5";
    line.setAttribute("role", "status");
    let chosen;
    question.options.forEach((option, i) => {
      const label = make("label", row), radio = make("input", label, { type: "radio", name: `predict-${name}` });
      label.append(` ${option}`);
      radio.onchange = () => { chosen = i; button.disabled = false; };
    });
    const button = make("button", row, { type: "button", textContent: "Show me", disabled: true });
    button.onclick = () => { line.textContent = question.verdicts[chosen]; reveal(question.settings); };
  };

  const begin = async (root, packed) => {
    const data = await unpack(packed), { controls, artists, ghosts, words, grounds, sheet } = data;
    const font = new FontFace(`letters of ${root.dataset.explorer}`, Uint8Array.from(atob(data.font), c => c.charCodeAt(0)));
    document.fonts.add(await font.load());
    data.family = `"${font.family}"`;
    if (sheet) {
      sheet.image = await picture("webp", sheet.picture);
      sheet.palettes = sheet.palettes.map(digits => digits.match(/../g).map(two => parseInt(two, 16)));
    }
    const rest = await Promise.all(grounds.distinct.map(ground => picture("png", ground)));

    if (data.question) {
      ask(data.question, root, root.dataset.explorer, settings => {
        settings.forEach((setting, i) => { inputs[i].value = setting; });
        show();
      });
    }
    const bar = make("div", root);
    bar.style.cssText = "display: flex; flex-wrap: wrap; gap: 6px 28px; margin-bottom: 6px";
    const shown = [];
    const inputs = controls.map(({ label, texts, start, values }) => {
      const row = make("span", bar), name = make("label", row, { textContent: `${label} ` });
      const menu = typeof values[0] === "string";
      const input = make(menu ? "select" : "input", name);
      if (menu) texts.forEach((text, i) => input.add(new Option(text, i)));
      else Object.assign(input, { type: "range", min: 0, max: texts.length - 1 });
      input.value = start;
      input.style.verticalAlign = "middle"; input.style.maxWidth = "100%";
      input.oninput = () => show();
      const value = make("span", row);  // the input says it, too
      value.setAttribute("aria-hidden", "true");
      value.style.cssText = `display: inline-block; min-width: ${menu ? 0 : 5}ch; padding-left: 6px`;
      shown.push(menu ? undefined : value);
      return input;
    });
    const { plays, pointed } = data;
    if (plays) {
      const button = make("button", bar, { type: "button", textContent: "Play" }), input = inputs[plays.control];
      let timer;
      const stop = () => { clearInterval(timer); timer = undefined; button.textContent = "Play"; };
      const go = () => {
        if (input.value === input.max) return stop();
        input.value++;
        show();
      };
      button.onclick = () => {
        if (timer) return stop();
        if (input.value === input.max) { input.value = 0; show(); }
        timer = setInterval(go, plays.pace);
        button.textContent = "Pause";
      };
    }
    const [width, height] = data.size, scale = Math.max(devicePixelRatio, 1);
    const frame = make("div", root), canvas = make("canvas", frame, { width: width * scale, height: height * scale });
    frame.style.overflowX = "auto";  // of a narrow page
    canvas.style.cssText = `display: block; width: ${width}px; max-width: 100%; min-width: ${Math.min(width, 640)}px`;
    canvas.setAttribute("role", "img");
    if (pointed) {
      canvas.style.cursor = "crosshair";
      canvas.onclick = event => {
        const share = width / canvas.clientWidth, seen = { x: event.offsetX * share, y: event.offsetY * share };
        const place = new DOMMatrix(pointed.scale).inverse().transformPoint(seen), at = [place.x, place.y];
        const is_inside = at.every((value, i) => pointed.limits[2 * i] <= value && value <= pointed.limits[2 * i + 1]);
        if (!is_inside) return;
        pointed.controls.forEach((number, i) => {
          const far = controls[number].values.map(value => Math.abs(value - at[i]));
          inputs[number].value = far.indexOf(Math.min(...far));
        });
        if (plays) inputs[plays.control].value = 0;  // the new walk is at its start
        show();
      };
    }
    const line = make("p", root);
    line.setAttribute("role", "status");
    line.style.cssText = "margin: 4px 0; min-height: 3em; line-height: 1.5";
    if (data.note) make("p", root, { textContent: data.note }).style.cssText = "margin: 4px 0; font-size: 85%";

    const pen = canvas.getContext("2d"), before = ghosts.map(() => undefined);
    let now;
    const show = () => {
      const places = inputs.map(input => Number(input.value));
      const state = places.reduce((sum, place, i) => sum + place * controls[i].stride, 0);
      if (state === now) return;
      ghosts.forEach(([, , since], i) => {
        const control = controls.find(({ name }) => name === since);
        const at = n => Math.floor(n / control.stride) % control.texts.length;
        if (now !== undefined && (!control || at(now) !== at(state))) before[i] = now;
      });
      now = state;
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, width, height);
      pen.drawImage(rest[grounds.states[now]], 0, 0, width, height);
      const list = (artist, n) => artists[artist].distinct[artists[artist].states[n]];
      artists.forEach((_, i) => {
        const ghost = ghosts.findIndex(([artist]) => artist === i), old = before[ghost];
        if (ghost < 0) list(i, now).forEach(operation => paint(pen, operation, data));
        else if (old !== undefined && list(ghosts[ghost][1], now).length) {  // what is hidden now leaves no trace
          const [then, here] = [old, now].map(n => new DOMMatrix(grounds.scales[grounds.states[n]][ghosts[ghost][3]]));
          list(i, old).forEach(operation => paint(pen, operation, data, here.multiply(then.inverse())));
        }
      });
      places.forEach((place, i) => {
        const text = controls[i].texts[place];
        if (shown[i]) { shown[i].textContent = text; inputs[i].setAttribute("aria-valuetext", text); }
      });
      line.textContent = words.distinct[words.states[now]];
      canvas.setAttribute("aria-label", line.textContent);
    };
    show();
    root.dataset.ready = Math.round(performance.now());  // milliseconds after the page was asked for
  };

  document.querySelectorAll(".mflearn-replay").forEach(root => {
    const packed = window.mflearnExplorers?.[root.dataset.explorer];
    if (!packed || root.dataset.begun) return;
    root.dataset.begun = true;
    begin(root, packed).catch(error => make("p", root, { textContent: `This explorer does not work here: ${error}` }));
  });
})();
