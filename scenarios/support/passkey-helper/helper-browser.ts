import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { waitFor } from '@wafleet/testkit';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import type { Passkey } from './passkey.js';
import type { WhatsAppPage } from './whatsapp-page.js';

const EXTENSION = resolve(import.meta.dirname, '../../../apps/passkey-helper/dist-extension');
const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** A real Chromium with the helper, as a person uses it: its panel is read and clicked from outside of the page. */
export class HelperBrowser {
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, profile: string) {
    this.#context = context;
    this.#profile = profile;
  }

  /** Rejects if Chromium is missing, or the helper is not built. */
  static async start(whatsApp: WhatsAppPage): Promise<HelperBrowser> {
    const executablePath = PROGRAMS.find((path) => existsSync(path));
    if (executablePath === undefined)
      throw new Error('This scenario needs Chromium: apt-get install --no-install-recommends chromium');
    if (!existsSync(join(EXTENSION, 'manifest.json')))
      throw new Error(`${EXTENSION} is missing: npm run build`);
    const profile = mkdtempSync(join(tmpdir(), 'wafleet-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      // Playwright's own headless mode has no extensions.
      headless: false,
      args: [
        ...['--headless=new', '--no-sandbox', '--disable-background-networking'],
        ...[`--disable-extensions-except=${EXTENSION}`, `--load-extension=${EXTENSION}`],
        ...whatsApp.browserArguments,
      ],
    });
    return new HelperBrowser(context, profile);
  }

  /** A tab of a person who has this passkey, or none. */
  async openTab(passkey: Passkey | undefined): Promise<HelperTab> {
    const page = await this.#context.newPage();
    const devTools = await this.#context.newCDPSession(page);
    await devTools.send('WebAuthn.enable');
    const { authenticatorId } = await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true },
        ...{ hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
      },
    });
    const tab = new HelperTab(page, devTools, authenticatorId);
    if (passkey !== undefined) await tab.addPasskey(passkey);
    return tab;
  }

  async stop(): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}

type DomNode = Awaited<ReturnType<typeof readDocument>>;

async function readDocument(devTools: CDPSession) {
  const { root } = await devTools.send('DOM.getDocument', { depth: -1, pierce: true });
  return root;
}

/** A tab with a page of WhatsApp's. */
export class HelperTab {
  readonly #page: Page;
  readonly #devTools: CDPSession;

  readonly #authenticatorId: string;

  constructor(page: Page, devTools: CDPSession, authenticatorId: string) {
    this.#page = page;
    this.#devTools = devTools;
    this.#authenticatorId = authenticatorId;
  }

  /** The person's authenticator has this passkey from now on. */
  async addPasskey({ rpId, credentialId, userHandle, privateKey }: Passkey): Promise<void> {
    await this.#devTools.send('WebAuthn.addCredential', {
      authenticatorId: this.#authenticatorId,
      credential: {
        ...{ rpId, isResidentCredential: true, signCount: 0 },
        credentialId: credentialId.toString('base64'),
        userHandle: userHandle.toString('base64'),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      },
    });
  }

  /** Opens an address as if it was typed. Resolves before the page is loaded, since the helper stops pages. */
  async open(url: string): Promise<void> {
    await this.#page.goto(url, { waitUntil: 'commit' });
  }

  /** The value of an expression in the page, among its own scripts. */
  evaluate(expression: string): Promise<unknown> {
    return this.#page.evaluate(expression);
  }

  get url(): string {
    return this.#page.url();
  }

  /** All text of the panel, its buttons included. Empty if there is none. */
  async panelText(): Promise<string> {
    const root = await readDocument(this.#devTools);
    const inShadows = (node: DomNode): string[] => [
      ...(node.shadowRoots ?? [])
        .filter(({ shadowRootType }) => shadowRootType === 'closed')
        .flatMap(textsOf),
      ...(node.children ?? []).flatMap(inShadows),
    ];
    return inShadows(root).join(' ');
  }

  async waitForText(text: string): Promise<void> {
    await waitFor(
      async () => {
        const shown = await this.panelText();
        if (!shown.includes(text)) throw new Error(shown);
        return true;
      },
      { what: `"${text}" in the panel`, intervalMs: 100 },
    );
  }

  /** Clicks a button of the panel with the mouse, found by its name as a screen reader finds it. */
  async click(name: string): Promise<void> {
    // What screen readers find, and where it is, is known a moment after it is shown.
    let last = '';
    const findBox = async () => {
      const backendNodeId = await this.#buttonNamed(name);
      if (backendNodeId === undefined) return undefined;
      const { model } = await this.#devTools.send('DOM.getBoxModel', { backendNodeId });
      const box = JSON.stringify([backendNodeId, model.border]);
      const isSteady = box === last;
      last = box;
      return isSteady && model;
    };
    const model = await waitFor(findBox, { what: `the button "${name}", in place`, intervalMs: 200 });
    const [left = 0, top = 0, , , right = 0, bottom = 0] = model.border;
    await this.#page.mouse.click((left + right) / 2, (top + bottom) / 2);
  }

  /** The roles and names of what a screen reader finds in the panel. */
  async accessibleParts(): Promise<string[]> {
    const { nodes } = await this.#devTools.send('Accessibility.getFullAXTree');
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => `${role?.value} ${name?.value ?? ''}`.trim())
      .filter((part) => /^(main|button|heading|status)\b/.test(part));
  }

  async close(): Promise<void> {
    await this.#page.close();
  }

  async #buttonNamed(wanted: string): Promise<number | undefined> {
    const { nodes } = await this.#devTools.send('Accessibility.getFullAXTree');
    return nodes.find(({ role, name }) => role?.value === 'button' && name?.value === wanted)
      ?.backendDOMNodeId;
  }
}

function textsOf(node: DomNode): string[] {
  if (node.nodeName === 'STYLE') return [];
  return [...(node.nodeValue === '' ? [] : [node.nodeValue]), ...(node.children ?? []).flatMap(textsOf)];
}
