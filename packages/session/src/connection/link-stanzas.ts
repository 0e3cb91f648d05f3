import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  type WASocket,
} from '@whiskeysockets/baileys';

/** Learns how far a pairing code has come on the phone. */
export interface LinkStanzaListener {
  /** A code was typed into the phone. Whether it is the right one is not known yet. */
  codeEntered(): void;
  /** The phone does not take the answer: another code was typed. The right one may still be typed. */
  codeRefused(): void;
  /** WhatsApp has linked the client, whose confirmation follows. */
  paired(): void;
}

/**
 * Watches what WhatsApp sends to a socket while it waits for a link. Baileys answers these stanzas, but emits nothing
 * for them.
 */
export class LinkStanzas {
  #isFinishing = false;
  #isPaired = false;

  constructor({ ws, authState }: WASocket, listener: LinkStanzaListener) {
    ws.on('CB:notification,type:link_code_companion_reg', (stanza: BinaryNode) => {
      const step = getBinaryNodeChild(stanza, 'link_code_companion_reg');
      // WhatsApp also sends this notification without a key, to have the code refreshed.
      if (getBinaryNodeChildBuffer(step, 'link_code_pairing_wrapped_primary_ephemeral_pub') === undefined)
        return;
      this.#isFinishing = true;
      listener.codeEntered();
    });
    // The only request that a client without a link sends at this point is the answer to the phone.
    ws.on('CB:iq,type:error', () => {
      if (!this.#isFinishing || authState.creds.registered) return;
      this.#isFinishing = false;
      listener.codeRefused();
    });
    ws.on('CB:iq,,pair-success', () => {
      this.#isPaired = true;
      listener.paired();
    });
  }

  /** Whether WhatsApp has linked the client. If Baileys refuses the phone's signature, the connection ends. */
  get isPaired(): boolean {
    return this.#isPaired;
  }
}
