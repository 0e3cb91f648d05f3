/**
 * The content script, apart from the page's own scripts (the isolated world). A helper link never becomes a page of
 * WhatsApp's: the script stops it before its first script runs, and puts the panel in its place. So the page gets
 * neither the token nor what is signed.
 */
import { hasHelperLink, readHelperLink } from '../helper-link.js';
import { takePort } from '../signer/channel.js';
import { Ceremony } from './ceremony.js';
import { Panel, type Subject } from './panel.js';
import { screenOf } from './screen.js';
import { SignerClient } from './signer-client.js';

// Without a link too: otherwise the page could take it.
const port = takePort();

if (hasHelperLink(location.hash)) void openLink(location.hash);
else awaitLink();

/** Waits for a link that is opened in this tab: the page stays the same then, so it is loaded again. */
function awaitLink(): void {
  window.addEventListener('hashchange', ({ newURL }) => {
    if (!hasHelperLink(new URL(newURL).hash)) return;
    history.replaceState(null, '', newURL);
    location.reload();
  });
}

/**
 * Ends the page's parser and gives the document another, empty one. Merely stopped, a document without a body is never
 * painted by Chromium.
 */
function replacePage(): void {
  document.open();
  document.write('<!doctype html><html lang="en"><head></head><body></body></html>');
  document.close();
}

async function openLink(fragment: string): Promise<void> {
  // Before the page is replaced, which removes all listeners. The signer starts before the page's parser goes on.
  const signer = new SignerClient(await port);
  replacePage();
  awaitLink();
  history.replaceState(null, '', `${location.pathname}${location.search}`);
  const panel = new Panel((action) => void ceremony?.act(action));
  let ceremony: Ceremony | undefined;
  const link = readHelperLink(fragment);
  if (link === undefined) return panel.show(screenOf({ at: 'ended', end: 'link-damaged' }), {});

  let subject: Subject = { host: new URL(link.apiUrl).host };
  ceremony = new Ceremony(link, signer, (state) => {
    if (state.at === 'open' && state.view.label !== undefined)
      subject = { ...subject, label: state.view.label };
    panel.show(screenOf(state), subject);
  });
}
