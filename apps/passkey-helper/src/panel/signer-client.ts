import type { UncheckedFields } from '../json-fields.js';
import { readSignerAnswer, type SignerAnswer, type SignerRequest } from '../signer/messages.js';

/** The panel's end of the channel to the signer. */
export class SignerClient {
  readonly #port: MessagePort;
  #number = 0;
  #answered: ((answer: SignerAnswer) => void) | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<unknown>) => {
      const answer = readSignerAnswer(data);
      if (answer?.number === this.#number) this.#answered?.(answer);
    };
  }

  /** Asks the person for a signature. Call it because of a click: browsers want that. Never rejects. */
  sign(options: UncheckedFields): Promise<SignerAnswer> {
    this.#number += 1;
    const answer = new Promise<SignerAnswer>((resolve) => {
      this.#answered = resolve;
    });
    this.#request({ do: 'sign', number: this.#number, options });
    return answer;
  }

  /** Closes the browser's dialog. The answer to `sign` then is an error. */
  cancel(): void {
    this.#request({ do: 'cancel' });
  }

  #request(request: SignerRequest): void {
    this.#port.postMessage(request);
  }
}
