import type { Action, Screen } from './screen.js';
import { STYLE } from './style.js';

const TITLE = 'Wafleet passkey helper';

/** For what is signed, and who asks for it. Names come from others, so they are shown as texts of their own. */
export interface Subject {
  readonly label?: string;
  readonly host?: string;
}

/**
 * What the person sees in place of WhatsApp's page. Other scripts cannot read it, since its shadow root is closed, and
 * cannot click in it: only clicks and keys of the person count.
 */
export class Panel {
  readonly #host = document.createElement('div');
  readonly #root = this.#host.attachShadow({ mode: 'closed' });
  readonly #box = element('main', { 'aria-labelledby': 'title', tabindex: '-1' });
  readonly #subject = element('p', { class: 'subject' });
  readonly #status = element('div', { role: 'status', 'aria-atomic': 'true' });
  readonly #hints = element('div', { class: 'hints' });
  readonly #actions = element('div', { class: 'actions' });
  readonly #act: (action: Action) => void;
  #shown = '';

  /** @param act is called when the person uses a button. */
  constructor(act: (action: Action) => void) {
    this.#act = act;
    const title = element('h1', { id: 'title' }, TITLE);
    this.#box.append(title, this.#subject, this.#status, this.#hints, this.#actions);
    this.#root.append(element('style', {}, STYLE), this.#box);
  }

  /** Shows a screen. Does nothing if it is the one that is shown. */
  show(screen: Screen, subject: Subject): void {
    const shown = JSON.stringify([screen, subject]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const isNew = !this.#host.isConnected;
    const hadFocus = this.#root.activeElement !== null;
    this.#subject.replaceChildren(...describe(subject));
    this.#status.className = screen.tone;
    this.#status.replaceChildren(
      element('p', {}, screen.status),
      ...(screen.code === undefined ? [] : [element('p', { class: 'code' }, screen.code)]),
    );
    this.#hints.replaceChildren(...screen.hints.map((hint) => element('p', {}, hint)));
    this.#actions.replaceChildren(...screen.actions.map((action) => this.#button(action)));
    if (isNew) this.#open();
    // Not on a button: a key that was meant for another one must not answer a question.
    if (isNew || hadFocus) this.#box.focus();
  }

  #open(): void {
    const head = element('head', {});
    head.append(
      element('title', {}, TITLE),
      element('meta', { name: 'viewport', content: 'width=device-width' }),
    );
    const body = element('body', {});
    body.append(this.#host);
    document.documentElement.lang = 'en';
    document.documentElement.style.colorScheme = 'light dark';
    document.documentElement.replaceChildren(head, body);
  }

  #button({ action, text }: Screen['actions'][number]): HTMLElement {
    const button = element('button', { type: 'button', class: action }, text);
    button.addEventListener('click', ({ isTrusted }) => {
      if (isTrusted) this.#act(action);
    });
    return button;
  }
}

function describe({ label, host }: Subject): (string | HTMLElement)[] {
  const named =
    label === undefined ? [] : ['Session ', element('bdi', {}, label), host === undefined ? '' : ', '];
  return [...named, ...(host === undefined ? [] : ['server ', element('bdi', {}, host)])];
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>>,
  text = '',
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}
