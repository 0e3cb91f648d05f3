import { waitFor } from '@wafleet/testkit';
import { expect } from 'vitest';
import type { EdgeFixture } from './edge-fixture.js';
import { type SseEvent, SseStream } from './sse-stream.js';

export interface StreamOptions {
  /** Default: that of the first edge. */
  readonly url?: string;
  /** Default: that of the tenant. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens streams of the fixture's edges, which end with the test. */
export class EventStreams {
  readonly #fixture: EdgeFixture;

  constructor(fixture: EdgeFixture) {
    this.#fixture = fixture;
  }

  /** Requests `/api/events<query>`, whatever the answer. */
  async open(query: string, options: StreamOptions = {}): Promise<SseStream> {
    const { url = this.#fixture.edge.url, key = this.#fixture.tenant.key, headers } = options;
    return this.#fixture.keep(await SseStream.open(url, query, { key, headers }));
  }

  /** A stream that is live. */
  async follow(query: string, options?: StreamOptions): Promise<SseStream> {
    const stream = await this.open(query, options);
    expect(stream.response.status).toBe(200);
    return stream.live();
  }
}

/** The events of a stream that have this name. */
export function named(stream: SseStream, name: string): SseEvent[] {
  return stream.events.filter(({ event }) => event === name);
}

/** The ids that were published and came, in the order of their arrival. */
export function idsOf(stream: SseStream): string[] {
  return stream.payloads.flatMap(({ id }) => (id === undefined ? [] : [id]));
}

/** Waits until as many ids have come as are expected, and expects that they are these. */
export async function received(stream: SseStream, expected: readonly string[]): Promise<void> {
  await waitFor(() => idsOf(stream).length >= expected.length, { what: `${expected.length} events arrive` });
  expect(idsOf(stream)).toEqual(expected);
}
