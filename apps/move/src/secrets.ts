import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StartError } from '@wafleet/runtime';

/** Reads secrets from lines of the standard input. At a terminal it asks, and does not show what is typed. */
export class SecretInput {
  readonly #input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly #ask: (text: string) => void;
  #lines: AsyncIterator<string> | undefined;
  #close: (() => void) | undefined;

  /** @param ask shows a question. */
  constructor(input: NodeJS.ReadableStream & { readonly isTTY?: boolean }, ask: (text: string) => void) {
    this.#input = input;
    this.#ask = ask;
  }

  /** The next line. @throws {StartError} if there is none; it names the variable that can have the secret. */
  async next(what: string, variable: string): Promise<string> {
    if (this.#input.isTTY === true) this.#ask(`${what}: `);
    this.#lines ??= this.#open();
    const { value, done } = await this.#lines.next();
    if (this.#input.isTTY === true) this.#ask('\n');
    if (done === true || value.trim() === '') {
      throw new StartError(
        `${what} is missing: set ${variable}, or give it as a line of the standard input.`,
      );
    }
    return value.trim();
  }

  close(): void {
    this.#close?.();
  }

  #open(): AsyncIterator<string> {
    const output = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input: this.#input, output, terminal: this.#input.isTTY === true });
    this.#close = () => lines.close();
    return lines[Symbol.asyncIterator]();
  }
}
