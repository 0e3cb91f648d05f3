import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { PeerAddress } from '@wafleet/store';
import { Agent } from 'undici';
import { answeredHeaders, forwardedHeaders } from './peer-headers.js';
import { REFUSALS, type Refusal } from './refusal.js';
import { joinSockets } from './tunnel.js';

const CONNECT_TIMEOUT_MS = 2_000;
/** Longer than a poll waits at an edge, which is until the next heartbeat. */
const ANSWER_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

/** `cut`: the client went away, or the other edge did after it had begun to answer. */
export type Outcome = 'answered' | 'cut' | Refusal;
export const OUTCOMES: readonly Outcome[] = ['answered', 'cut', ...(Object.keys(REFUSALS) as Refusal[])];

interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: NodeJS.ReadableStream;
}

/**
 * Forwards requests to other edges, with only the headers that Engine.IO reads, and streams the answers back. A request
 * that a client gives up is given up there too. Nothing is sent twice.
 */
export class Forwarder {
  readonly #agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    pipelining: 1,
  });
  readonly #tunnels = new Set<Socket>();
  #isEnding = false;

  /** For GET and POST. Answers the client unless the outcome is a refusal. Never rejects. */
  async forward(peer: PeerAddress, request: IncomingMessage, response: ServerResponse): Promise<Outcome> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let answer: Answer;
    try {
      answer = await this.#agent.request({
        ...target(peer, request),
        method: request.method === 'POST' ? 'POST' : 'GET',
        body: request.method === 'POST' ? request : null,
        signal: gone.signal,
      });
    } catch {
      return gone.signal.aborted ? 'cut' : 'unreachable';
    }
    try {
      if (isOfAnotherLife(answer)) {
        answer.body.resume();
        return 'ended';
      }
      if (this.#isEnding) response.setHeader('connection', 'close');
      response.writeHead(answer.statusCode, answeredHeaders(answer.headers));
      await pipeline(answer.body, response);
      return 'answered';
    } catch {
      response.destroy();
      return 'cut';
    }
  }

  /** Joins the client's connection with one to the other edge, unless the outcome is a refusal. Never rejects. */
  async forwardUpgrade(peer: PeerAddress, request: IncomingMessage, head: Buffer): Promise<Outcome> {
    if (this.#isEnding) return 'unavailable';
    const { socket } = request;
    const gone = new AbortController();
    const abort = () => gone.abort();
    socket.once('close', abort);
    try {
      const answer = await this.#agent.upgrade({
        ...target(peer, request),
        protocol: 'websocket',
        signal: gone.signal,
      });
      if (!(answer.socket instanceof Socket)) throw new Error('an upgrade gave no socket');
      if (this.#isEnding) {
        answer.socket.destroy();
        return 'unavailable';
      }
      socket.write(switchingProtocols(answer.headers));
      if (head.length > 0) socket.unshift(head);
      this.#track(answer.socket);
      joinSockets(socket, answer.socket);
      return 'answered';
    } catch {
      return gone.signal.aborted ? 'cut' : 'unreachable';
    } finally {
      socket.off('close', abort);
    }
  }

  /** Cuts the connections that it joined, and joins no more. Still forwards requests. */
  end(): void {
    this.#isEnding = true;
    for (const tunnel of this.#tunnels) tunnel.destroy();
  }

  /** Gives up what is still under way. */
  async close(): Promise<void> {
    this.end();
    await this.#agent.destroy();
  }

  #track(tunnel: Socket): void {
    this.#tunnels.add(tunnel);
    tunnel.once('close', () => this.#tunnels.delete(tunnel));
  }
}

function target({ host, port, token }: PeerAddress, request: IncomingMessage) {
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    origin: `http://${name}:${port}`,
    path: request.url ?? '',
    headers: forwardedHeaders(request, token),
  };
}

/** Whether the answer is of another edge that took over the address. Engine.IO uses neither status. */
function isOfAnotherLife({ statusCode }: Answer): boolean {
  return statusCode === 401 || statusCode === 404;
}

function switchingProtocols(headers: IncomingHttpHeaders): string {
  const lines = Object.entries({ ...headers, connection: 'Upgrade', upgrade: 'websocket' }).flatMap(
    ([name, value]) => [value ?? []].flat().map((each) => `${name}: ${each}`),
  );
  return ['HTTP/1.1 101 Switching Protocols', ...lines, '\r\n'].join('\r\n');
}
