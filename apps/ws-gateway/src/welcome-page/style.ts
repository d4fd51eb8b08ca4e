/** The style sheet of the welcome page: system fonts, light and dark, one column on a phone. */
export const WELCOME_STYLE: string = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #fff; --ink: #1f2328; --quiet: #59626b; --rule: #d9dde1;
  --accent: #0a5fb4; --on-accent: #fff; --good: #1a7f37; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --card: #1b1f24; --ink: #e4e7ea; --quiet: #9ba5ae; --rule: #343b43;
    --accent: #7ab8ff; --on-accent: #10202f; --good: #5fd07a; --bad: #ff9a90;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif;
}
h1 { margin: 0 0 .5rem; font-size: 1.6rem; font-weight: 600; letter-spacing: -.01em; }
h2 { margin: 0; font-size: 1.1rem; font-weight: 600; }
p { margin: 0 0 1rem; max-width: 44rem; }
code, pre, [data-role="client-id"], [data-role="groups"] {
  font: .875rem/1.55 ui-monospace, Menlo, Consolas, monospace;
}
pre {
  margin: 0; padding: 1rem; overflow-x: auto; background: var(--card);
  border: 1px solid var(--rule); border-radius: 6px;
}
button, input { font: inherit; color: inherit; border: 1px solid var(--rule); border-radius: 6px; }
button { padding: .35rem .85rem; background: var(--card); cursor: pointer; }
button[type="submit"] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button:disabled { opacity: .5; cursor: default; }
input { flex: 1; min-width: 0; padding: .35rem .6rem; background: var(--paper); border-color: var(--quiet); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.copy { display: flex; gap: .75rem; align-items: center; margin: .6rem 0 2rem; color: var(--quiet); }
.panes { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
section { min-width: 0; padding: 1.1rem; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
section header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
[data-state="connected"] { color: var(--good); }
[data-state="waiting"], [data-state="closed"] { color: var(--bad); }
dl {
  display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; align-items: baseline;
  margin: .6rem 0 .9rem; font-size: .875rem;
}
dt, label, footer { color: var(--quiet); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
dd:empty::after, [data-role="groups"]:empty::after { content: "none"; color: var(--quiet); }
ul, ol { margin: 0; padding: 0; list-style: none; }
[data-role="groups"] { display: flex; flex-wrap: wrap; gap: 0 .75rem; }
label { display: block; font-size: .875rem; }
.row { display: flex; gap: .5rem; margin-bottom: .75rem; }
/* Laid out from its end, a box stays at its newest line, unless the reader has scrolled up. */
.log {
  display: flex; flex-direction: column-reverse; height: 15rem; overflow-y: auto; padding: .5rem .75rem;
  background: var(--paper); border: 1px solid var(--rule); border-radius: 6px; font-size: .875rem;
}
[data-role="log"] { margin-bottom: auto; }
[data-role="log"] li { padding: .2rem 0; overflow-wrap: anywhere; }
[data-role="log"] span { margin-right: .6rem; display: inline-block; color: var(--quiet); unicode-bidi: isolate; }
[data-kind="message"] bdi { display: block; font-size: 1rem; white-space: pre-wrap; }
[data-own="true"] bdi { color: var(--accent); }
[data-kind="error"] span:first-child { color: var(--bad); }
main > h2 { margin: 2rem 0 .25rem; }
summary { padding: .25rem 0; cursor: pointer; }
footer { margin-top: 2rem; font-size: .875rem; }
footer code { white-space: nowrap; }
`;
