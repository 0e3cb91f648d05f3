/**
 * A script of the page that tries to take part: it offers the panel a signer of its own, asks the signer for its
 * channel and for a signature, clicks, and writes down all that it receives. It knows the helper's source.
 * `sessionStorage.ran` counts its runs, `sessionStorage.received` has what it received.
 */
export const HOSTILE_SCRIPT = `
  sessionStorage.ran = Number(sessionStorage.ran ?? 0) + 1;
  sessionStorage.received ??= '';
  const receive = (what) => { sessionStorage.received += what + ';'; };
  const fake = { do: 'sign', number: 1, options: { challenge: 'AAAA' }, error: 'TypeError', assertion: {} };
  addEventListener('message', ({ data }) => { if (!data?.isFake) receive('message'); });
  document.addEventListener('wafleet-passkey-helper:offer', ({ isTrusted, ports }) => {
    if (ports[0] !== own.port2) receive('port');
  }, true);
  const own = new MessageChannel();
  own.port1.onmessage = () => receive('request');
  const attack = () => {
    document.dispatchEvent(new Event('wafleet-passkey-helper:ready'));
    const offer = new MessageEvent('wafleet-passkey-helper:offer', { cancelable: true, ports: [own.port2] });
    if (!document.dispatchEvent(offer)) receive('accepted');
    postMessage({ ...fake, isFake: true }, '*');
    if (globalThis.chrome?.runtime?.sendMessage) receive('extension');
    for (const element of document.querySelectorAll('*')) {
      if (element.shadowRoot) receive('shadow root');
      element.click();
    }
  };
  attack();
  setInterval(attack, 50);
  addEventListener('hashchange', attack);
`;
