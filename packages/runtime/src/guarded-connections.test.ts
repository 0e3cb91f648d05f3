import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { guardConnections } from './guarded-connections.js';

/** This package comes before the one with `waitFor`. */
const waitFor = (condition: () => boolean, { what }: { what: string }) =>
  vi.waitFor(() => expect(condition(), what).toBe(true), { timeout: 30_000 });

let serve: RequestListener;
let responses: ServerResponse[];
let server: ReturnType<typeof createServer>;
let client: Socket;

beforeEach(async () => {
  responses = [];
  serve = () => {};
  server = createServer((request, response) => {
    responses.push(response);
    serve(request, response);
  });
  guardConnections(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  client.resume();
});
afterEach(async () => {
  client.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = (count: number) => client.write('GET / HTTP/1.1\r\nHost: edge\r\n\r\n'.repeat(count));

async function arrived(count: number): Promise<void> {
  await waitFor(() => responses.length === count, { what: 'all requests have arrived' });
}

/** How often each response was closed, in the order of the requests. */
function closings(): number[] {
  const counts = responses.map(() => 0);
  responses.forEach((response, index) => {
    response.on('close', () => {
      counts[index] = (counts[index] ?? 0) + 1;
    });
  });
  return counts;
}

describe('the responses of a guarded connection', () => {
  it('are closed once each when the client goes while they wait for an earlier one', async () => {
    ask(20);
    await arrived(20);
    const counts = closings();
    // One that waits with its answer, which nothing takes any more.
    responses[3]?.end('an answer');
    client.destroy();
    await waitFor(() => counts.every((count) => count > 0), { what: 'all are closed' });
    expect(responses.map(({ closed, destroyed }) => closed && destroyed)).not.toContain(false);
    for (const response of responses) response.end('too late');
    await new Promise((resolve) => setImmediate(resolve));
    expect(counts).toEqual(responses.map(() => 1));
  });

  it('are closed once each when some were answered before the client goes', async () => {
    ask(4);
    await arrived(4);
    const counts = closings();
    responses[1]?.end('second');
    responses[0]?.end('first');
    await waitFor(() => counts[0] === 1 && counts[1] === 1, { what: 'two are answered' });
    expect(counts).toEqual([1, 1, 0, 0]);
    client.destroy();
    await waitFor(() => counts[2] === 1 && counts[3] === 1, { what: 'the others are closed' });
    expect(counts).toEqual([1, 1, 1, 1]);
  });

  it('cost the connection one listener, however many wait', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    ask(1);
    await arrived(1);
    const before = responses[0]?.socket?.listenerCount('close') ?? 0;
    ask(99);
    await arrived(100);
    expect(responses[0]?.socket?.listenerCount('close')).toBe(before + 1);
    for (const response of responses) response.end();
    await waitFor(() => responses.every(({ closed }) => closed), { what: 'all are answered' });
    ask(100);
    await arrived(200);
    expect(responses[100]?.socket?.listenerCount('close')).toBe(before + 1);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});

it('a connection with more requests than are kept for one is cut', async () => {
  let isCut = false;
  client.once('close', () => {
    isCut = true;
  });
  ask(10_000);
  await waitFor(() => isCut, { what: 'the connection is cut' });
  await waitFor(() => responses.every(({ closed }) => closed), { what: 'all are closed' });
  // What one read of the connection brings is taken whole.
  expect(responses.length).toBeLessThan(7_000);
});

it('a connection whose requests are answered in time may send any number of them', async () => {
  serve = (_, response) => response.end();
  ask(10_000);
  await arrived(10_000);
  await waitFor(() => responses.every(({ writableFinished }) => writableFinished), {
    what: 'all are answered',
  });
});
