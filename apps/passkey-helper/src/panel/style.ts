/** The style of the panel, in light and dark. */
export const STYLE = `
:host {
  position: fixed;
  inset: 0;
  overflow: auto;
  padding: 32px 16px;
}
main {
  --text: #1b1f23; --muted: #57606a; --back: #ffffff; --line: #d0d7de; --main: #0b6b3a; --on-main: #ffffff;
  --good: #0b6b3a; --bad: #b3261e;
  box-sizing: border-box;
  max-width: 420px;
  margin: 0 auto;
  padding: 16px;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--back);
  color: var(--text);
  font: 15px/1.45 system-ui, sans-serif;
  overflow-wrap: anywhere;
}
@media (prefers-color-scheme: dark) {
  main {
    --text: #e6edf3; --muted: #a3adb8; --back: #161b22; --line: #3d444d; --main: #2fae6b; --on-main: #06130b;
    --good: #4cc38a; --bad: #ff8f87;
  }
}
h1 { margin: 0 0 4px; font-size: 16px; }
p { margin: 0 0 8px; }
.subject, .hints { color: var(--muted); font-size: 14px; }
bdi { color: var(--text); font-weight: 600; }
[role='status'] { font-weight: 600; }
[role='status'].good { color: var(--good); }
[role='status'].bad { color: var(--bad); }
.code { font: 600 28px/1.3 ui-monospace, monospace; letter-spacing: 2px; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; }
button {
  padding: 8px 14px;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: transparent;
  color: var(--text);
  font: inherit;
  cursor: pointer;
}
button.sign, button.confirm { border-color: var(--main); background: var(--main); color: var(--on-main); }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
`;
