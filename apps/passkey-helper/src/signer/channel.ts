/**
 * The signer runs among the page's own scripts, the panel apart from them. Both start before the page's first script,
 * and meanwhile the signer gives the panel one end of a message channel. So no script of the page sees what passes
 * between them, or can pass for the signer: the events below that come later have no effect.
 */
const OFFER = 'wafleet-passkey-helper:offer';
const READY = 'wafleet-passkey-helper:ready';

/** Gives the panel a port, whichever of the two starts first. Returns the signer's end. */
export function offerPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const offer = () => {
    const event = new MessageEvent(OFFER, { cancelable: true, ports: [port2] });
    // The panel cancels the event when it takes the port.
    if (!document.dispatchEvent(event)) document.removeEventListener(READY, offer);
  };
  document.addEventListener(READY, offer);
  offer();
  return port1;
}

/** Takes the signer's port. Resolves with the first one, and with no other. */
export function takePort(): Promise<MessagePort> {
  return new Promise((resolve) => {
    const take = (event: Event) => {
      const [port] = event instanceof MessageEvent ? event.ports : [];
      if (port === undefined) return;
      document.removeEventListener(OFFER, take);
      event.preventDefault();
      resolve(port);
    };
    document.addEventListener(OFFER, take);
    document.dispatchEvent(new Event(READY));
  });
}
