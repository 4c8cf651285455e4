"use strict";
(function () {
  var data = JSON.parse(document.getElementById("data").textContent).series;
  if (!data || !data.dates || data.dates.length < 2) return;
  var n = data.dates.length, from = 0, to = n - 1, at = -1, drag = null;
  var space = "http://www.w3.org/2000/svg";
  var charts = Array.prototype.slice.call(document.querySelectorAll("svg[data-chart]")).filter(function (svg) { return columns(svg).length > 0; });
  var outs = Array.prototype.slice.call(document.querySelectorAll("output[data-for]"));
  var whole = charts.map(function (svg) { return svg.innerHTML; });

  function columns(svg) { return data.lines.filter(function (l) { return l.chart === svg.dataset.chart; }); }
  function text(unit, v) {
    if (v === null || v === undefined) return "n/a";
    if (unit === "percent") return (100 * v).toFixed(2) + "%";
    if (unit === "usd") return (v < 0 ? "-$" : "$") + Math.abs(v).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    if (unit === "count") return v.toFixed(0);
    return v.toFixed(2);
  }
  function x(svg, i) { return +svg.dataset.left + (+svg.dataset.right - +svg.dataset.left) * (i - from) / (to - from); }
  function add(svg, name, attrs, label) {
    var e = document.createElementNS(space, name);
    Object.keys(attrs).forEach(function (k) { e.setAttribute(k, attrs[k]); });
    if (label !== undefined) e.textContent = label;
    svg.insertBefore(e, svg.firstChild);
    return e;
  }

  // The cross-hair.
  function show(i) {
    at = i < 0 ? -1 : Math.max(from, Math.min(to, i));
    charts.forEach(function (svg) {
      var line = svg.querySelector(".cross"), p = at < 0 ? -9 : x(svg, at);
      line.setAttribute("x1", p);
      line.setAttribute("x2", p);
    });
    outs.forEach(function (out) {
      out.textContent = at < 0 ? "" : data.dates[at] + "   " + data.lines.filter(function (l) { return l.chart === out.dataset.for; })
        .map(function (l) { return l.name + " " + text(l.unit, l.values[at]); }).join("   ");
    });
  }

  // Zooming draws the visible sessions of every chart again; the whole period is what the page came with.
  function zoom(a, b) {
    from = Math.max(0, Math.min(a, n - 2));
    to = Math.min(n - 1, Math.max(b, from + 1));
    var all = from === 0 && to === n - 1;
    document.querySelectorAll(".whole").forEach(function (e) { e.hidden = all; });
    charts.forEach(function (svg, k) {
      svg.innerHTML = whole[k];
      if (!all) redraw(svg);
    });
    show(at);
  }
  function range(svg) {
    var log = svg.dataset.log === "1", lo = Infinity, hi = -Infinity;
    columns(svg).forEach(function (l) {
      for (var i = from; i <= to; i++) {
        var v = l.values[i];
        if (v !== null && !(log && v <= 0)) { lo = Math.min(lo, v); hi = Math.max(hi, v); }
      }
    });
    if (svg.dataset.zero === "1") { lo = Math.min(lo, 0); hi = Math.max(hi, 0); }
    if (lo > hi) return null;
    var room = lo === hi ? Math.abs(lo) * 0.01 || 1 : (hi - lo) * 0.04;
    return log ? [lo / 1.02, hi * 1.02] : [lo - (lo === 0 ? 0 : room), hi + (hi === 0 ? 0 : room)];
  }
  function step(span, count) {
    var p = Math.pow(10, Math.floor(Math.log10(span / count))), f = span / count / p;
    return p * (f <= 1 ? 1 : f <= 2 ? 2 : f <= 2.5 ? 2.5 : f <= 5 ? 5 : 10);
  }
  function label(unit, v) {
    if (unit === "percent") return +(100 * v).toPrecision(4) + "%";
    var a = Math.abs(v);
    return a >= 1e6 ? +(v / 1e6).toPrecision(4) + "M" : a >= 1e3 ? +(v / 1e3).toPrecision(4) + "k" : String(+v.toPrecision(4));
  }
  function redraw(svg) {
    var bounds = range(svg), top = +svg.dataset.top, bottom = +svg.dataset.bottom, left = +svg.dataset.left, right = +svg.dataset.right;
    if (!bounds) return;
    var log = svg.dataset.log === "1", f = log ? Math.log : Number, lo = f(bounds[0]), hi = f(bounds[1]), lines = columns(svg);
    function y(v) { return top + (hi - f(v)) / (hi - lo) * (bottom - top); }
    svg.querySelectorAll(".grid, .tick, .zero, .shade, .area, .mark").forEach(function (e) { e.remove(); });
    svg.querySelectorAll("[data-line]").forEach(function (p) {
      var v = lines[+p.dataset.line].values, d = "", down = false;
      for (var i = from; i <= to; i++) {
        if (v[i] === null || log && v[i] <= 0) { down = false; continue; }
        d += (down ? "L" : "M") + x(svg, i).toFixed(1) + " " + y(v[i]).toFixed(1);
        down = true;
      }
      p.setAttribute("d", d);
    });
    svg.querySelectorAll("[data-band]").forEach(function (p) {
      var k = +p.dataset.band, up = "", down = "";
      for (var i = from; i <= to; i++) {
        var a = lines[k].values[i], b = lines[k + 1].values[i];
        if (a === null || b === null) continue;
        up += (up ? "L" : "M") + x(svg, i).toFixed(1) + " " + y(Math.max(a, b, bounds[0])).toFixed(1);
        down = "L" + x(svg, i).toFixed(1) + " " + y(Math.max(Math.min(a, b), bounds[0])).toFixed(1) + down;
      }
      p.setAttribute("d", up + down + "Z");
    });
    var s = step(bounds[1] - bounds[0], Math.max(2, (bottom - top) / 45)), last = -Infinity;
    for (var v = Math.ceil(bounds[0] / s) * s; v <= bounds[1]; v += s) {
      add(svg, "line", { "class": Math.abs(v) < s / 1e6 && svg.dataset.zero === "1" ? "zero" : "grid", x1: left, x2: right, y1: y(v), y2: y(v) });
      add(svg, "text", { "class": "tick", "text-anchor": "end", x: left - 6, y: y(v) + 4 }, label(lines[0].unit, Math.abs(v) < s / 1e6 ? 0 : v));
    }
    var each = Math.max(1, Math.ceil((to - from) / Math.max(2, (right - left) / 95)));
    for (var i = from; i <= to; i += each) {
      if (x(svg, i) - last < 84 || x(svg, i) > right - 30) continue;
      last = x(svg, i);
      add(svg, "line", { "class": "grid", x1: last, x2: last, y1: top, y2: bottom });
      add(svg, "text", { "class": "tick", "text-anchor": "middle", x: Math.max(last, left + 26), y: bottom + 17 }, data.dates[i]);
    }
  }

  function session(svg, e) {
    var box = svg.getBoundingClientRect(), p = (e.clientX - box.left) * +svg.dataset.width / box.width;
    return Math.round(from + (p - +svg.dataset.left) / (+svg.dataset.right - +svg.dataset.left) * (to - from));
  }
  charts.forEach(function (svg) {
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("pointerdown", function (e) { if (e.pointerType === "mouse" && e.button === 0) drag = session(svg, e); });
    svg.addEventListener("pointermove", function (e) {
      var i = session(svg, e), old = svg.querySelector(".pick");
      show(i);
      if (old) old.remove();
      if (drag === null) return;
      var a = x(svg, Math.max(from, Math.min(drag, i))), b = x(svg, Math.min(to, Math.max(drag, i)));
      add(svg, "rect", { "class": "pick", x: a, width: Math.max(0, b - a), y: svg.dataset.top, height: svg.dataset.bottom - svg.dataset.top });
    });
    svg.addEventListener("pointerup", function (e) {
      var a = drag, b = session(svg, e);
      drag = null;
      if (svg.querySelector(".pick")) svg.querySelector(".pick").remove();
      if (a !== null && Math.abs(a - b) > 4) zoom(Math.min(a, b), Math.max(a, b));
    });
    svg.addEventListener("dblclick", function () { zoom(0, n - 1); });
    svg.addEventListener("pointerleave", function () {
      drag = null;
      if (svg.querySelector(".pick")) svg.querySelector(".pick").remove();
      show(-1);
    });
    svg.addEventListener("blur", function () { show(-1); });
    svg.addEventListener("keydown", function (e) {
      var move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -21, PageDown: 21 }[e.key], mid = at < 0 ? to : at, half = (to - from) / 2;
      if (e.key === "Home") show(from);
      else if (e.key === "End") show(to);
      else if (e.key === "+" || e.key === "=") zoom(Math.round(mid - half / 2), Math.round(mid + half / 2));
      else if (e.key === "-") zoom(Math.round(mid - half * 2), Math.round(mid + half * 2));
      else if (e.key === "Escape" || e.key === "0") zoom(0, n - 1);
      else if (move) show((at < 0 ? to : at) + move);
      else return;
      e.preventDefault();
    });
  });
  document.querySelectorAll(".whole").forEach(function (b) { b.addEventListener("click", function () { zoom(0, n - 1); }); });
  document.querySelectorAll(".how").forEach(function (e) { e.hidden = false; });
})();
