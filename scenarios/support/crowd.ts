import { WebSocket } from 'ws';

/**
 * Many clients in one separate process, so that they take no CPU time from the process that publishes and measures.
 * They speak the protocol of Socket.IO 5 over plain WebSockets and read only the envelope of an event. The parent
 * process sends `CrowdRequest`s and gets one `CrowdReply` for each.
 */
export type CrowdRequest =
  | { readonly kind: 'connect'; readonly url: string; readonly members: readonly CrowdMember[] }
  | { readonly kind: 'report' };

/** A number of clients with one API key. */
interface CrowdMember {
  readonly apiKey: string;
  readonly clients: number;
}

/** What all clients together have seen. */
export interface CrowdReply {
  readonly connected: number;
  readonly received: number;
  /**
   * Latency from an event's `timestamp` to its arrival since the last reply, ms: median, 99th percentile and maximum.
   */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Events that did not directly follow the one before, ended connections, and refusals. */
  readonly faults: readonly string[];
}

const NAMESPACE = '/api/events';
const SUBSCRIBE = `42${NAMESPACE},0["subscribe",["messages.*"]]`;
const ENVELOPE = /"eventId":"(\d+)-(\d+)","sessionId":"[^"]+","timestamp":"([^"]+)"/;
const ENVELOPE_WITHIN = 300;
const CONNECTED_AT_ONCE = 20;

const sockets = new Set<WebSocket>();
const faults: string[] = [];
let received = 0;
let latencies: number[] = [];

/** Resolves when the subscription is acknowledged. */
function connect(url: string, apiKey: string): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  let latest: { epoch: string; seq: number } | undefined;
  sockets.add(socket);
  const take = (text: string) => {
    const [, epoch = '', seq, timestamp = ''] = ENVELOPE.exec(text.slice(0, ENVELOPE_WITHIN)) ?? [];
    const position = { epoch, seq: Number(seq) };
    if (latest !== undefined && (latest.epoch !== epoch || latest.seq + 1 !== position.seq)) {
      faults.push(`${epoch}-${seq} came after ${latest.epoch}-${latest.seq}`);
    }
    latest = position;
    received += 1;
    latencies.push(Date.now() - Date.parse(timestamp));
  };
  return new Promise((resolve, reject) => {
    socket.on('error', (error) => faults.push(error.message));
    socket.on('close', (code, reason) => {
      sockets.delete(socket);
      faults.push(`a connection ended with ${code} ${reason}`);
      reject(new Error(`a connection ended with ${code} ${reason}`));
    });
    socket.on('message', (data) => {
      const text = String(data);
      if (text === '2') socket.send('3');
      else if (text.startsWith('0')) socket.send(`40${NAMESPACE},${JSON.stringify({ token: apiKey })}`);
      else if (text.startsWith(`40${NAMESPACE}`)) socket.send(SUBSCRIBE);
      else if (text.startsWith(`43${NAMESPACE}`) && text.includes('"ok":true')) resolve();
      else if (text.startsWith(`42${NAMESPACE},["messages.upsert"`)) take(text);
      else faults.push(text);
    });
  });
}

async function connectAll(url: string, members: readonly CrowdMember[]): Promise<void> {
  const waiting = members
    .flatMap(({ apiKey, clients }) => Array.from({ length: clients }, () => apiKey))
    .values();
  const connectOneByOne = async () => {
    for (const apiKey of waiting) await connect(url, apiKey);
  };
  await Promise.all(Array.from({ length: CONNECTED_AT_ONCE }, connectOneByOne));
}

function tell(): CrowdReply {
  const sorted = Float64Array.from(latencies).sort();
  latencies = [];
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return {
    connected: sockets.size,
    received,
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    faults,
  };
}

process.on('message', async (request: CrowdRequest) => {
  if (request.kind === 'connect') await connectAll(request.url, request.members);
  process.send?.(tell());
});
process.on('disconnect', () => process.exit());
