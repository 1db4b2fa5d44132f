// One state, one stream, one way in which a change reaches the page: merge, then draw. All text goes in as textContent.
"use strict";

const texts = {
  zh: {
    title: "邻里", other: "English", logout: "退出", loginTitle: "登录", token: "令牌", login: "登录",
    loginHint: "令牌保存在服务器数据目录的 admin.token 文件中。", badToken: "令牌不正确。", noServer: "无法连接服务器。",
    alerts: "未关闭的告警", noAlerts: "目前没有告警。", device: "设备读数", deviceID: "设备编号", show: "查看", quantity: "项目",
    value: "数值", time: "时间", noValues: "还没有读数。", noDevice: "没有这个设备。", all: "全部社区", live: "实时", lost: "连接中断,正在重连…",
    acknowledge: "确认", failed: "操作未成功,请重试。", yes: "是", no: "否", late: "迟到", times: "次", devices: "台设备",
    critical: "危急", high: "严重", medium: "中等", low: "轻微", informational: "提示",
    opened: "未确认", acknowledged: "已确认", cleared: "已恢复", closed: "已关闭",
  },
  en: {
    title: "linli", other: "中文", logout: "Log out", loginTitle: "Log in", token: "Token", login: "Log in",
    loginHint: "The token is in the file admin.token of the server's data directory.", badToken: "The token is not right.", noServer: "The server does not answer.",
    alerts: "Open alerts", noAlerts: "There is no alert now.", device: "Readings of a device", deviceID: "Device id", show: "Show", quantity: "Quantity",
    value: "Value", time: "Time", noValues: "No readings yet.", noDevice: "There is no such device.", all: "All communities", live: "Live", lost: "Connection lost, trying again…",
    acknowledge: "Acknowledge", failed: "That did not work, please try again.", yes: "yes", no: "no", late: "late", times: "times", devices: "devices",
    critical: "Critical", high: "High", medium: "Medium", low: "Low", informational: "Info",
    opened: "Not acknowledged", acknowledged: "Acknowledged", cleared: "Cleared", closed: "Closed",
  },
};
const severities = ["critical", "high", "medium", "low", "informational"];

const state = {
  language: localStorage.getItem("language") || "zh",
  token: sessionStorage.getItem("token") || "",
  communities: [],
  community: "", // shown; empty: all
  alerts: new Map(), // by id; those that were closed stay, so that a late answer cannot bring them back
  lastEvent: "",
  link: "",
  device: null,
};

const $ = (id) => document.getElementById(id);
const t = (key) => texts[state.language][key] ?? key;
const pick = (text) => text[state.language] || text.zh || text.en || "";
const locale = () => (state.language === "zh" ? "zh-CN" : "en-GB");

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

async function call(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { ...options.headers, Authorization: "Bearer " + state.token } });
  if (response.status === 401) {
    logout(t("badToken"));
    throw new Error("unauthorized");
  }
  return response;
}

async function load(path) {
  const response = await call(path);
  if (!response.ok) throw Object.assign(new Error(path), { status: response.status });
  return response.json();
}

// ---- stream

let streaming = null;

async function follow() {
  const control = new AbortController();
  streaming = control;
  while (streaming === control) {
    try {
      const headers = state.lastEvent ? { "Last-Event-ID": state.lastEvent } : {};
      const response = await call("api/v1/stream", { headers, signal: control.signal });
      if (!response.ok) throw new Error("stream");
      setLink("live");
      await readEvents(response.body);
    } catch {
      // The server went away or is not ready; the pause below leads to another try.
    }
    if (streaming !== control) return;
    setLink("lost");
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) take(event);
  }
}

function take(event) {
  const fields = {};
  for (const line of event.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
  }
  if (!fields.data) return;
  state.lastEvent = fields.id;
  const data = JSON.parse(fields.data);
  if (fields.event === "snapshot") state.alerts = new Map();
  merge(fields.event === "snapshot" ? data.alerts : [data]);
}

// merge is the only way in which alerts get into the state.
function merge(alerts) {
  for (const alert of alerts) {
    const known = state.alerts.get(alert.id);
    if (known && known.events > alert.events) continue;
    state.alerts.set(alert.id, alert);
  }
  drawAlerts();
  drawCommunities();
}

const openAlerts = () => [...state.alerts.values()].filter((a) => a.state !== "closed");

function setLink(link) {
  state.link = link;
  $("link").className = link;
  $("link").textContent = link ? t(link) : "";
}

// ---- drawing

function drawTexts() {
  document.documentElement.lang = locale();
  document.title = state.language === "zh" ? "邻里 linli" : "linli";
  for (const e of document.querySelectorAll("[data-text]")) e.textContent = t(e.dataset.text);
  for (const e of document.querySelectorAll("[data-placeholder]")) e.placeholder = t(e.dataset.placeholder);
  $("language").textContent = t("other");
  setLink(state.link);
}

function drawCommunities() {
  const open = {};
  for (const a of openAlerts()) open[a.community] = (open[a.community] || 0) + 1;
  const button = (id, name, count) => {
    const b = element("button", "", name);
    b.type = "button";
    b.setAttribute("aria-pressed", String(state.community === id));
    if (count) b.append(element("span", "open", String(count)));
    b.addEventListener("click", () => { state.community = id; drawCommunities(); drawAlerts(); loadDevices(); });
    return b;
  };
  $("communities").replaceChildren(
    button("", t("all"), openAlerts().length),
    ...state.communities.map((c) => button(c.id, pick(c.name), open[c.id])));
}

function place(alert) {
  const community = state.communities.find((c) => c.id === alert.community);
  const p = alert.place || {};
  return [community ? pick(community.name) : alert.community, p.estate, p.building, p.unit, p.zone, alert.device].filter(Boolean).join(" · ");
}

function drawAlerts() {
  const shown = openAlerts().filter((a) => !state.community || a.community === state.community);
  shown.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || b.opened_at.localeCompare(a.opened_at));
  $("alertCount").textContent = shown.length || "";
  $("noAlerts").hidden = shown.length > 0;
  $("alerts").replaceChildren(...shown.map(drawAlert));
}

function drawAlert(alert) {
  const li = element("li", severities.includes(alert.severity) ? alert.severity : "informational");
  li.dataset.testid = "alert";
  li.dataset.id = alert.id;
  const body = element("div", "body");
  body.append(element("div", "name", pick(alert.name) || alert.rule));
  body.append(element("div", "where", place(alert)));
  if (alert.text && pick(alert.text)) body.append(element("div", "where", pick(alert.text)));
  const side = element("div", "state");
  side.append(element("div", "", t(alert.state) + (alert.acknowledged_by ? " · " + alert.acknowledged_by : "")));
  side.append(element("div", "", since(alert)));
  if (!alert.acknowledged_at) {
    const b = element("button", "primary", t("acknowledge"));
    b.type = "button";
    b.dataset.testid = "acknowledge";
    b.addEventListener("click", () => acknowledge(alert, b));
    side.append(b);
  }
  li.append(element("div", "severity", t(alert.severity)), body, side);
  return li;
}

function since(alert) {
  const parts = [clock(alert.opened_at)];
  if (alert.count > 1) parts.push(alert.count + " " + t("times"));
  if (alert.late) parts.push(t("late"));
  return parts.join(" · ");
}

function clock(time) {
  const d = new Date(time);
  const today = d.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(locale(), today ? { timeStyle: "medium" } : { dateStyle: "short", timeStyle: "medium" }).format(d);
}

async function acknowledge(alert, button) {
  button.disabled = true;
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
  try {
    const response = await call("api/v1/alerts/" + encodeURIComponent(alert.id) + "/acknowledge", {
      method: "POST", headers: { "Idempotency-Key": key, "Content-Type": "application/json" }, body: "{}",
    });
    if (!response.ok) throw new Error("acknowledge");
    merge([await response.json()]);
  } catch {
    button.disabled = false;
    button.after(element("div", "error", t("failed")));
  }
}

async function loadDevices() {
  const query = state.community ? "&community=" + encodeURIComponent(state.community) : "";
  const list = await load("api/v1/devices?state=active&limit=500" + query).catch(() => ({ devices: [] }));
  $("devices").replaceChildren(...list.devices.map((d) => {
    const o = element("option", "", d.name || d.type);
    o.value = d.id;
    return o;
  }));
}

let refresh = 0;

async function showDevice() {
  clearTimeout(refresh);
  const id = $("device").value.trim();
  if (!id || !state.token) return;
  try {
    state.device = await load("api/v1/devices/" + encodeURIComponent(id));
    $("deviceError").textContent = "";
    drawDevice();
  } catch (error) {
    $("deviceError").textContent = error.status === 404 ? t("noDevice") : t("noServer");
    if (error.status === 404) return;
  }
  refresh = setTimeout(showDevice, 10000);
}

function drawDevice() {
  const d = state.device;
  $("deviceView").hidden = !d;
  if (!d) return;
  $("deviceName").textContent = [d.name, pick(d.type_name), place({ community: d.community, place: d.place, device: d.id })].filter(Boolean).join(" · ");
  $("noValues").hidden = d.values.length > 0;
  $("values").replaceChildren(...d.values.map((v) => {
    const row = element("tr");
    const name = element("td", "", pick(v.name));
    if (v.tags) name.append(element("span", "tags", Object.entries(v.tags).map(([k, x]) => k + " " + x).join(", ")));
    row.append(name, element("td", "", show(v)), element("td", "", clock(v.time)));
    return row;
  }));
}

function show(v) {
  if (typeof v.value === "boolean") return t(v.value ? "yes" : "no");
  if (typeof v.value !== "number") return String(v.value);
  const number = new Intl.NumberFormat(locale(), { maximumFractionDigits: 3 }).format(v.value);
  const unit = v.unit === "1" ? "" : v.unit.replace("Cel", "°C").replace("kW.h", "kWh").replace(/\{[^}]*\}/g, ""); // {annotations} are English
  return unit ? number + " " + unit : number;
}

// ---- coming and going

async function enter() {
  try {
    state.communities = (await load("api/v1/communities")).communities;
  } catch (error) {
    if (state.token) showLogin(t("noServer"));
    return;
  }
  sessionStorage.setItem("token", state.token);
  $("login").hidden = true;
  $("board").hidden = $("logout").hidden = false;
  merge([]);
  follow();
  loadDevices();
}

function showLogin(message) {
  $("board").hidden = $("logout").hidden = true;
  $("login").hidden = false;
  $("loginError").textContent = message;
}

function logout(message) {
  streaming?.abort();
  streaming = null;
  clearTimeout(refresh);
  sessionStorage.removeItem("token");
  Object.assign(state, { token: "", communities: [], alerts: new Map(), lastEvent: "", device: null });
  setLink("");
  showLogin(message);
}

$("language").addEventListener("click", () => {
  state.language = state.language === "zh" ? "en" : "zh";
  localStorage.setItem("language", state.language);
  drawTexts();
  drawCommunities();
  drawAlerts();
  drawDevice();
});
$("logout").addEventListener("click", () => logout(""));
document.querySelector("#login form").addEventListener("submit", (event) => {
  event.preventDefault();
  state.token = $("token").value.trim();
  $("token").value = "";
  enter();
});
$("deviceForm").addEventListener("submit", (event) => {
  event.preventDefault();
  showDevice();
});

drawTexts();
if (state.token) enter();
else showLogin("");
