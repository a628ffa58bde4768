"use strict";

// The page draws what /api/v1 answers. Everything that comes from there goes through textContent.

const api = "/api/v1";
const tokenKey = "reactord.token";
const listLength = 100;
const byId = (id) => document.getElementById(id);

// MARK: Building elements

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

function opener(text, style, open) {
  return make("button", { type: "button", class: style, text, onclick: open });
}

const tones = {
  READY: "good", CREATED: "plain", RUNNING: "busy", FINISHED: "good", VALIDATED: "good", FINALIZED: "good",
  INDEXING: "check", VALIDATING: "check", FAILED: "bad", REJECTED: "bad", ERROR: "bad", RESET: "warn",
  RETIRED: "plain", SUBMITTED: "plain", COMPLETE: "good", succeeded: "good", failed: "bad", cancelled: "warn",
  timed_out: "bad", interrupted: "warn", running: "busy", receiving: "check", settling: "check", partly_failed: "warn", done: "good",
};

function badge(word, title) {
  return make("span", { class: "badge", "data-tone": tones[word] || "plain", title, text: word.replace("_", " ") });
}

// MARK: Times

const formatter = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function relative(milliseconds) {
  const seconds = Math.round((Date.now() - milliseconds) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 86400 * 60) return `${Math.floor(seconds / 86400)} d ago`;
  return new Date(milliseconds).toISOString().slice(0, 10);
}

function moment(text) {
  const milliseconds = Date.parse(text || "");
  if (Number.isNaN(milliseconds)) return make("span", { class: "zero", text: "–" });
  return make("time", { datetime: text, title: formatter.format(milliseconds), text: relative(milliseconds) });
}

// In a history the steps between moments matter: the time of day, and how long after the one before.
function stepMoment(text, before) {
  const milliseconds = Date.parse(text || "");
  if (Number.isNaN(milliseconds)) return make("span", { class: "faint", text: "–" });
  const earlier = Date.parse(before || "");
  const step = Number.isNaN(earlier) ? "" : ` · +${span(Math.max(0, milliseconds - earlier))}`;
  return make("span", { class: "faint", title: formatter.format(milliseconds),
    text: new Date(milliseconds).toLocaleTimeString() + step });
}

function span(milliseconds) {
  if (!(milliseconds >= 0)) return "–";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function duration(from, to) {
  const start = Date.parse(from || "");
  if (Number.isNaN(start)) return make("span", { class: "zero", text: "–" });
  const end = Date.parse(to || "");
  if (!Number.isNaN(end)) return make("span", { class: "plain", text: span(end - start) });
  return make("span", { class: "plain", "data-since": start, text: span(Date.now() - start) });
}

function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = count || 0;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const counted = (count, noun) => `${count ?? 0} ${noun}${count === 1 ? "" : "s"}`;

function refreshTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    element.textContent = relative(Date.parse(element.dateTime));
  }
  for (const element of document.querySelectorAll("[data-since]")) {
    element.textContent = span(Date.now() - Number(element.dataset.since));
  }
}

// MARK: Talking to the daemon

const session = { token: "", generation: 0, retries: 0, isAdmin: false };

class Refused extends Error {}

function headers() {
  return session.token ? { Authorization: `Bearer ${session.token}` } : {};
}

// Browsers have many words for a daemon that does not answer, or not to the end.
async function reached(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The daemon cannot be reached. Is it running?");
  }
}

async function call(path, options = {}) {
  const answer = await reached(fetch(api + path, { ...options, headers: headers(), cache: "no-store" }));
  if (answer.status === 401) throw new Refused();
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail || `the daemon answered ${answer.status}`);
  }
  return answer;
}

const ask = async (path, options) => (await call(path, options)).json();

// The audit is for admins: who may read it is offered what only they may do.
async function isAdmin() {
  try {
    await call("/audit?limit=1");
    return true;
  } catch (error) {
    if (error instanceof Refused) throw error;
    return false;
  }
}

function say(text) {
  const toast = byId("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.hidden = true; }, 5000);
}

function failed(error) {
  if (error instanceof Refused) signOut("The daemon does not know this token.");
  else if (error.name !== "AbortError") say(error.message);
}

// MARK: Lists

const data = {
  actors: [], jobs: [], counts: { counts: {}, total: 0 }, executions: [], letters: [], hasMoreLetters: false,
  filter: "all",
};

function fill(table, rows, width, nothing) {
  const body = byId(table).tBodies[0];
  if (!rows.length) rows = [make("tr", {}, make("td", { class: "empty", colspan: width, text: nothing }))];
  body.replaceChildren(...rows);
}

function number(value, label) {
  return make("td", { class: `number${value ? "" : " zero"}`, "data-label": label, text: value });
}

function drawActors(list) {
  data.actors = list.actors;
  fill("actors", list.actors.map((actor) => make("tr", {},
    make("td", {},
      make("span", { class: "name", text: actor.name, title: actor.description }),
      make("span", { class: "sub mono", text: actor.id, title: `${actor.run}, revision ${actor.revision}` }),
      actor.status === "READY" ? null : make("span", { class: "sub", text: actor.status_message })),
    make("td", {}, badge(actor.status)),
    number(actor.waiting, "waiting"), number(actor.running, "running"))), 4, "No actor yet: add a folder to actors/.");
  byId("quarantined").replaceChildren(...list.quarantined.map((item) => make("div", { class: "note" },
    make("strong", { text: `${item.goes_on ? "Goes on as it was" : "Quarantined"}: ${item.folder.split("/").pop()}` }),
    item.reason, make("div", { class: "mono", text: item.line ? `${item.file}:${item.line}` : item.file }))));
  const left = list.quarantined.filter((item) => !item.goes_on).length;
  byId("actors-count").textContent = left ? `${list.actors.length}, ${left} quarantined` : list.actors.length;
  drawFigures();
}

// What the filter asks for; nothing stands for all states.
const jobStates = {
  open: ["CREATED", "RUNNING", "INDEXING", "VALIDATING", "RESET"],
  failed: ["FAILED", "REJECTED"],
};

const isOpen = (job) => jobStates.open.includes(job.status);

// How many jobs there are of a kind, and not only among the latest.
function jobTotal(kind) {
  const states = jobStates[kind];
  return states ? states.reduce((sum, state) => sum + (data.counts.counts[state] || 0), 0) : data.counts.total;
}

const newest = (left, right) => Date.parse(right.created) - Date.parse(left.created);

async function loadJobs() {
  const filter = data.filter;
  const queries = (jobStates[filter] || []).map((state) => `&status=${state}`);
  const [counts, ...pages] = await Promise.all([ask("/jobs/counts"),
    ...(queries.length ? queries : [""]).map((query) => ask(`/jobs?limit=${listLength}${query}`))]);
  // Somebody has chosen another kind meanwhile.
  if (filter !== data.filter) return;
  const jobs = pages.flatMap((page) => page.jobs);
  data.counts = counts;
  data.jobs = (pages.length > 1 ? jobs.sort(newest) : jobs).slice(0, listLength);
  drawJobs();
}

function jobTitle(job) {
  return (job.data && job.data.name) || job.session || job.uuid;
}

function drawJobs() {
  fill("jobs", data.jobs.map((job) => {
    const source = job.data || {};
    return make("tr", {},
      make("td", {},
        opener(jobTitle(job), "opens", () => openJob(job.uuid)),
        make("span", { class: "sub mono", text: job.uuid, title: `pipeline ${job.pipeline_uuid}` })),
      make("td", {}, badge(job.status, `last event: ${job.last_event}`)),
      make("td", { class: "middle" },
        make("span", { class: "clip", text: source.upload || "–", title: source.upload }),
        source.file ? make("span", { class: "sub", text: source.file }) : null),
      make("td", {}, moment(job.created)),
      make("td", { class: "number", "data-label": "took" },
        duration(job.created, isOpen(job) ? null : job.updated)));
  }), 5, data.counts.total
    ? "No job of this kind." : "No job yet. An upload or a message to pipeline-jobs-manager makes one.");
  const total = jobTotal(data.filter);
  byId("jobs-count").textContent =
    total > data.jobs.length ? `latest ${data.jobs.length} of ${total}` : data.jobs.length;
  drawFigures();
}

function executionBadge(execution) {
  const outcome = execution.outcome;
  return badge(outcome && execution.finished ? outcome : execution.status, `status ${execution.status}`);
}

function drawExecutions() {
  fill("executions", data.executions.map((execution) => make("tr", {},
    make("td", {},
      opener(execution.actor, "opens", () => openExecution(execution.id)),
      make("span", { class: "sub mono", text: execution.id, title: `sent by ${execution.sender}` })),
    make("td", {}, executionBadge(execution)),
    number(execution.attempts, "attempts"),
    make("td", {}, moment(execution.received)),
    make("td", { class: "number", "data-label": "took" },
      execution.started ? duration(execution.started, execution.finished) : "–"),
    execution.reason
      ? make("td", { class: "middle" },
        make("span", { class: "clip", text: execution.reason, title: execution.reason }))
      : make("td", { class: "middle" }))), 6, "Nothing has run yet.");
  byId("executions-count").textContent =
    data.executions.length >= listLength ? `latest ${data.executions.length}` : data.executions.length;
}

// How many job files of an upload have come to what; nothing is said of what there is none of.
function jobCounts(upload) {
  const counts = upload.counts || {};
  return ["running", "waiting", "succeeded", "failed", "blocked", "invalid"]
    .filter((word) => counts[word]).map((word) => `${counts[word]} ${word}`).join(", ")
    || (upload.note ? "" : "no job");
}

function drawUploads(list) {
  const rows = list.uploads.map((upload) => {
    const blocked = (upload.waiting || []).filter((item) => item.blocked)
      .map((item) => ({ file: item.file, reason: item.blocked }));
    const troubles = [...(upload.invalid || []), ...blocked, ...(upload.skipped || [])];
    const repeats = (upload.duplicates || []).length;
    const facts = [counted(upload.file_count, "file"), bytes(upload.bytes), jobCounts(upload),
      repeats ? `sent again ${counted(repeats, "time")}` : ""].filter(Boolean);
    return make("li", {},
      make("div", {},
        upload.execution_id
          ? opener(upload.id, "opens", () => openExecution(upload.execution_id))
          : make("span", { class: "name", text: upload.id }),
        make("span", { class: "sub" }, moment(upload.received), ` · ${facts.join(" · ")}`)),
      make("div", { class: "side" }, upload.state ? badge(upload.state) : null),
      upload.note ? make("span", { class: "sub wide", text: upload.note }) : null,
      upload.removed ? make("span", { class: "sub wide", text: `files removed by ${upload.removed.plan}` }) : null,
      troubles.map((trouble) => make("span", { class: "sub wide",
        text: `${trouble.file}${trouble.line ? `:${trouble.line}` : ""}: ${trouble.reason}` })));
  });
  byId("uploads").replaceChildren(...(rows.length ? rows : [make("li", { class: "empty", text: "No upload yet." })]));
  byId("uploads-count").textContent = list.next ? `latest ${list.uploads.length}` : list.uploads.length;
}

function drawLetters(list) {
  data.letters = list.dead_letters;
  data.hasMoreLetters = Boolean(list.next);
  const waiting = data.letters.filter((letter) => !letter.replayed_as);
  const rows = data.letters.map((letter) => make("li", {},
    make("div", {},
      opener(letter.actor, "opens", () => openExecution(letter.execution_id)),
      make("span", { class: "sub" }, moment(letter.parked), ` · ${counted(letter.attempts, "attempt")}`)),
    make("div", { class: "side" }, letter.replayed_as
      ? make("span", { class: "faint", text: "replayed" })
      : session.isAdmin && make("button", {
        type: "button", class: "quiet", text: "Replay", "aria-label": `Replay message to ${letter.actor}`,
        onclick: (event) => replay(event.currentTarget, `/dead-letters/${letter.id}/replay`) })),
    make("span", { class: "sub wide clip", text: letter.reason, title: letter.reason })));
  byId("letters").replaceChildren(...(rows.length ? rows : [make("li", { class: "empty", text: "None. Good." })]));
  byId("letters-count").textContent = lettersWaiting() || "";
  byId("replay-all").hidden = !session.isAdmin || waiting.length < 2;
  drawFigures();
}

// As a text when there are more than are shown; whether those were replayed is not known here.
function lettersWaiting() {
  const count = data.letters.filter((letter) => !letter.replayed_as).length;
  return data.hasMoreLetters ? `${count}+` : count;
}

async function replay(button, path) {
  button.disabled = true;
  try {
    // All at once come in pages: an answer names what is next.
    let next = null;
    do {
      const answer = await ask(next ? `${path}?after=${encodeURIComponent(next)}` : path, { method: "POST" });
      next = answer.next;
    } while (next);
    say("Sent again.");
    refresh("letters", "executions");
  } catch (error) {
    failed(error);
    button.disabled = false;
  }
}

function drawFigures() {
  const sum = (name) => data.actors.reduce((total, actor) => total + actor[name], 0);
  const letters = lettersWaiting();
  byId("figure-actors").textContent = data.actors.length;
  byId("figure-waiting").textContent = sum("waiting");
  byId("figure-running").textContent = sum("running");
  byId("figure-jobs").textContent = jobTotal("open");
  byId("figure-letters").textContent = letters;
  byId("figure-letters").parentElement.classList.toggle("alarm", letters !== 0);
}

const loaders = {
  actors: async () => drawActors(await ask("/actors")),
  jobs: loadJobs,
  executions: async () => {
    data.executions = (await ask(`/executions?limit=${listLength}`)).executions;
    drawExecutions();
  },
  uploads: async () => drawUploads(await ask("/uploads?limit=50")),
  letters: async () => drawLetters(await ask(`/dead-letters?limit=${listLength}`)),
};

// One refetch per list at a time, at most every 400 ms, and one more when events came meanwhile.
const pending = new Map();

function refresh(...names) {
  for (const name of names) {
    const state = pending.get(name) || { timer: 0, busy: false, again: false };
    pending.set(name, state);
    if (state.busy) { state.again = true; continue; }
    if (state.timer) continue;
    state.timer = setTimeout(async () => {
      state.timer = 0;
      state.busy = true;
      const generation = session.generation;
      try {
        await loaders[name]();
      } catch (error) {
        if (generation === session.generation && error instanceof Refused) failed(error);
      }
      state.busy = false;
      if (state.again) { state.again = false; refresh(name); }
    }, 400);
  }
}

// MARK: Detail drawer

const detail = { job: null, execution: null, stop: null };

function openDetail(title, ...children) {
  byId("detail-title").textContent = title;
  // The browser would write "null" for what is not there.
  byId("detail-body").replaceChildren(...children.filter(Boolean));
  if (!byId("detail").open) byId("detail").showModal();
}

function closeDetail() {
  if (detail.stop) detail.stop.abort();
  detail.job = detail.execution = detail.stop = null;
}

function facts(pairs) {
  return make("dl", { class: "facts" }, pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [make("dt", { text: name }), make("dd", {}, value)]));
}

const mono = (text) => (text ? make("span", { class: "mono", text }) : null);

function hasContent(value) {
  return value !== null && value !== undefined && !(typeof value === "object" && Object.keys(value).length === 0);
}

function block(value) {
  if (!hasContent(value)) return null;
  return make("pre", { tabindex: "0", text: typeof value === "string" ? value : JSON.stringify(value, null, 2) });
}

async function openJob(uuid) {
  if (detail.job !== uuid) closeDetail();
  detail.job = uuid;
  try {
    const [job, past] = await Promise.all([ask(`/jobs/${uuid}`), ask(`/jobs/${uuid}/history?form=full`)]);
    if (detail.job !== uuid) return;
    const entries = [...past.history.map((entry) => ({ ...entry, refused: false })),
      ...past.refused.map((entry) => ({ ...entry, refused: true }))]
      .sort((left, right) => Date.parse(left.date) - Date.parse(right.date));
    openDetail(jobTitle(job),
      facts([
        ["State", badge(job.status)], ["Upload", job.data && job.data.upload], ["File", job.data && job.data.file],
        ["UUID", mono(job.uuid)], ["Pipeline", mono(job.pipeline_uuid)], ["Path", mono(job.path)],
        ["Archive", mono(job.archive_folder)], ["Session", job.session], ["Owner", job.owner],
        ["Created", moment(job.created)], ["Updated", moment(job.updated)],
        ["Duration", duration(job.created, isOpen(job) ? null : job.updated)],
        ["Execution", job.execution_id
          ? opener(job.execution_id, "opens mono", () => openExecution(job.execution_id)) : null],
      ]),
      make("div", {}, make("h3", { text: "History" }), make("ol", { class: "timeline" }, 
        entries.map((entry, index) => timelineEntry(entry, index ? entries[index - 1].date : null)))));
  } catch (error) {
    failed(error);
  }
}

function timelineEntry(entry, before) {
  return make("li", { class: entry.refused ? "refused" : null },
    make("div", { class: "what" }, make("strong", { text: entry.name }),
      entry.refused ? badgeOf("refused", "bad") : null, stepMoment(entry.date, before)),
    entry.reason ? make("div", { class: "refusal", text: entry.reason }) : null,
    block(entry.data));
}

function badgeOf(text, tone) { return make("span", { class: "badge", "data-tone": tone, text }); }

async function openExecution(id) {
  closeDetail();
  detail.execution = id;
  const stop = new AbortController();
  detail.stop = stop;
  try {
    const execution = await ask(`/executions/${id}`, { signal: stop.signal });
    const log = make("pre", { class: "log", tabindex: "0", "aria-label": "Log" });
    const mark = badgeOf(execution.finished ? "complete" : "live", execution.finished ? "plain" : "busy");
    openDetail(`${execution.actor} · ${id}`, executionFacts(execution), executionActions(execution),
      make("div", {}, make("h3", {}, "Log ", mark), log));
    await follow(id, log, stop.signal);
    if (!execution.finished && detail.execution === id) {
      const ended = await ask(`/executions/${id}`, { signal: stop.signal });
      byId("detail-body").firstElementChild.replaceWith(executionFacts(ended));
      byId("detail-body").querySelector(".actions")?.remove();
      mark.replaceWith(badgeOf("complete", "plain"));
    }
    if (!log.textContent) log.replaceWith(make("p", { class: "faint", text: "Nothing was printed." }));
  } catch (error) {
    failed(error);
  }
}

function executionFacts(execution) {
  const attempts = execution.attempt_list || [];
  return facts([
    ["Status", executionBadge(execution)], ["Reason", execution.reason],
    ["Exit code", execution.exit_code],
    ["Sender", execution.sender], ["Cause", execution.cause
      ? opener(execution.cause, "opens mono", () => openExecution(execution.cause)) : null],
    ["Received", moment(execution.received)],
    ["Duration", execution.started ? duration(execution.started, execution.finished) : null],
    ["Attempts", attempts.length > 1
      ? make("ul", { class: "plain-list" }, attempts.map((attempt) => make("li", {},
        `${attempt.number}: ${attempt.outcome.replace("_", " ")}${attempt.reason ? ` – ${attempt.reason}` : ""} (`,
        duration(attempt.started, attempt.finished), ")")))
      : String(execution.attempts)],
    ["Result", hasContent(execution.result) ? block(execution.result) : null],
  ]);
}

function executionActions(execution) {
  if (execution.finished) return null;
  const stop = async () => {
    cancel.disabled = true;
    try {
      const answer = await ask(`/executions/${execution.id}`, { method: "DELETE" });
      say(answer.cancelled ? "Cancelled." : "It had ended already.");
    } catch (error) {
      failed(error);
      cancel.disabled = false;
    }
  };
  const cancel = make("button", {
    type: "button", class: "quiet danger", text: "Cancel this execution", onclick: stop });
  return make("div", { class: "actions" }, cancel);
}

// Appends the log as it grows; keeps to the end while the reader is there.
async function follow(id, log, signal) {
  const answer = await call(`/executions/${id}/logs?follow=true`, { signal });
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await reached(reader.read());
    if (done) return;
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 24;
    log.append(document.createTextNode(decoder.decode(value, { stream: true })));
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
}

// MARK: Live

function showLink(state, text) {
  byId("link").dataset.state = state;
  byId("link").textContent = text;
}

function react(type, payload) {
  if (type.startsWith("job.")) {
    refresh("jobs");
    if (detail.job && detail.job === payload.uuid) openJob(payload.uuid);
  } else if (type.startsWith("execution.") || type === "message.accepted") {
    refresh("executions", "actors");
  } else if (type === "document.changed") {
    if (payload.kind === "upload") refresh("uploads");
  } else if (type.startsWith("dead_letter.")) {
    refresh("letters", "executions");
  } else if (type === "actors.changed") {
    refresh("actors");
  }
}

// EventSource cannot send a header, so the stream is read by hand.
async function listen(generation) {
  while (generation === session.generation) {
    const quiet = new AbortController();
    let watchdog = 0;
    try {
      const answer = await call("/events", { signal: quiet.signal });
      session.isAdmin = await isAdmin();
      session.retries = 0;
      showLink("live", "live");
      refresh(...Object.keys(loaders));
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        clearTimeout(watchdog);
        // Heartbeats come every 15 s: silence means a dead line.
        watchdog = setTimeout(() => quiet.abort(), 45000);
        const { value, done } = await reader.read();
        if (done || generation !== session.generation) break;
        const parts = (rest + value).split("\n\n");
        rest = parts.pop();
        parts.forEach(take);
      }
      await reader.cancel();
    } catch (error) {
      if (error instanceof Refused) { failed(error); return; }
    } finally {
      clearTimeout(watchdog);
    }
    if (generation !== session.generation) return;
    session.retries += 1;
    const wait = Math.min(30000, 500 * 2 ** Math.min(session.retries, 6)) * (0.75 + Math.random() / 2);
    showLink("waiting", "reconnecting");
    await new Promise((resolve) => { setTimeout(resolve, wait); });
  }
}

function take(text) {
  let type = "message";
  let payload = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) type = line.slice(7);
    if (line.startsWith("data: ")) payload += line.slice(6);
  }
  if (!payload) return;
  try {
    react(type, JSON.parse(payload));
  } catch {
    refresh(...Object.keys(loaders));
  }
}

// MARK: Signing in

function showBoard(visible) {
  byId("board").hidden = !visible;
  byId("figures").hidden = !visible;
  byId("sign-in").hidden = visible;
  byId("sign-out").hidden = !visible || !session.token;
}

async function signIn(token) {
  session.token = token;
  session.generation += 1;
  const generation = session.generation;
  showLink("waiting", "connecting");
  try {
    await ask("/actors");
  } catch (error) {
    if (generation !== session.generation) return;
    if (error instanceof Refused) { signOut(token ? "The daemon does not know this token." : ""); return; }
  }
  if (token) sessionStorage.setItem(tokenKey, token);
  showBoard(true);
  listen(generation);
}

function signOut(problem) {
  session.token = "";
  session.isAdmin = false;
  session.generation += 1;
  sessionStorage.removeItem(tokenKey);
  if (byId("detail").open) byId("detail").close();
  for (const name of ["actors", "jobs", "executions"]) byId(name).tBodies[0].replaceChildren();
  for (const name of ["uploads", "letters", "quarantined"]) byId(name).replaceChildren();
  showBoard(false);
  showLink("off", "signed out");
  byId("sign-in-problem").textContent = problem || "";
  byId("sign-in-problem").hidden = !problem;
  byId("token").value = "";
  byId("token").focus();
}

// `#token=…` is how the command line opens the page; it must not stay in the history.
function tokenFromFragment() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

function start() {
  byId("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = byId("token").value.trim();
    if (token) signIn(token);
  });
  byId("sign-out").addEventListener("click", () => signOut());
  byId("detail-close").addEventListener("click", () => byId("detail").close());
  byId("detail").addEventListener("close", closeDetail);
  byId("detail").addEventListener("click", (event) => {
    if (event.target === byId("detail")) byId("detail").close();
  });
  byId("replay-all").addEventListener("click", (event) => replay(event.currentTarget, "/dead-letters/replay"));
  byId("jobs-filter").addEventListener("click", (event) => {
    const filter = event.target.dataset.filter;
    if (!filter) return;
    data.filter = filter;
    for (const button of byId("jobs-filter").children) {
      button.setAttribute("aria-pressed", String(button === event.target));
    }
    loadJobs().catch(failed);
  });
  window.addEventListener("hashchange", () => { const token = tokenFromFragment(); if (token) signIn(token); });
  setInterval(refreshTimes, 1000);
  signIn(tokenFromFragment() || sessionStorage.getItem(tokenKey) || "");
}

start();
