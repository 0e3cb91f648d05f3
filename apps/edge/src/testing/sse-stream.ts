import { waitFor } from '@wafleet/testkit';

/** An event as a stream of Server-Sent Events has it. */
export interface SseEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

interface SseStreamOptions {
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A client of Server-Sent Events made of nothing but fetch. It records everything it receives. */
export class SseStream {
  readonly response: Response;
  readonly events: SseEvent[] = [];
  readonly comments: string[] = [];
  /** What the server asks to wait before the next connection, ms. */
  retry: string | undefined;
  /** The last id that came. */
  lastId: string | undefined;
  /** Set when the server has ended the stream as HTTP says, or the connection broke. */
  end: 'ended' | 'broken' | undefined;
  readonly #abort: AbortController;

  /** Requests `/api/events<query>` of an edge. Resolves with the head of the answer, whatever it is. */
  static async open(
    url: string,
    query: string,
    { key, headers = {} }: SseStreamOptions = {},
  ): Promise<SseStream> {
    const abort = new AbortController();
    const response = await fetch(`${url}/api/events${query}`, {
      signal: abort.signal,
      headers: { ...(key === undefined ? {} : { 'x-api-key': key }), ...headers },
    });
    return new SseStream(response, abort);
  }

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    void this.#read();
  }

  /** The payloads of the contract's events, those about the stream itself left out. */
  get payloads(): { readonly eventId: string; readonly sessionId: string; readonly id?: string }[] {
    return this.events
      .filter(({ event }) => !event.startsWith('subscription.') && !event.startsWith('connection.closing'))
      .map(({ data }) => JSON.parse(data));
  }

  /** Waits until what is missed has come: from then on events come as they happen. */
  async live(): Promise<this> {
    await waitFor(() => this.events.some(({ event }) => event === 'subscription.position'), {
      what: 'the stream tells its position',
    });
    return this;
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    let text = '';
    try {
      for await (const chunk of this.response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
      }
      this.end = 'ended';
    } catch {
      this.end = 'broken';
    }
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      fields.set(name, value);
    }
    this.retry = fields.get('retry') ?? this.retry;
    this.lastId = fields.get('id') ?? this.lastId;
    const comment = fields.get('');
    if (comment !== undefined) this.comments.push(comment);
    const data = fields.get('data');
    if (data !== undefined)
      this.events.push({ id: fields.get('id'), event: fields.get('event') ?? '', data });
  }
}
