import { readFileSync } from 'node:fs';
import { Metrics } from '@wafleet/runtime';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FanoutServer } from '../testing/fanout-server.js';
import { addEdgeMetrics, EdgeCounters } from './metrics.js';

let redis: TestRedis;
let server: FanoutServer;
let metrics: Metrics;
let tally: EdgeCounters;

beforeAll(async () => {
  redis = await startRedis();
  server = await FanoutServer.start(redis.url);
  metrics = new Metrics();
  tally = new EdgeCounters();
  addEdgeMetrics(metrics, {
    io: server.io,
    fanout: server.fanout,
    media: { count: 0 },
    jobRunner: { count: 0 },
    uploads: { taken: 0 },
    open: { count: 0 },
    buffers: server.buffers,
    replays: { count: 0, bytesRead: 0 },
    turns: { size: 0 },
    pace: { periods: 0 },
    tally,
  });
});
afterAll(async () => {
  await server.stop();
  await redis.stop();
});

it('are those of docs/operations.md', async () => {
  const text = await metrics.text();
  const reported = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
    ([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`,
  );
  const doc = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
  expect(doc.split('\n').filter((line) => line.startsWith('| `wafleet_edge_'))).toEqual(reported);
});

it('count sockets, events and closed connections', async () => {
  const client = io(`${server.url}/api/events`, { transports: ['websocket'] });
  const heard: unknown[] = [];
  client.on('presence.update', (event) => heard.push(event));
  await waitFor(() => server.served.length === 1 && client.connected, { what: 'it is connected' });
  server.publish();
  server.publish();
  tally.countClosed('SLOW_CLIENT');
  await waitFor(() => heard.length === 2, { what: 'the events arrive' });
  const text = await metrics.text();
  expect(text).toContain('wafleet_edge_sockets{namespace="/api/events"} 1');
  expect(text).toContain('wafleet_edge_sockets{namespace="/"} 0');
  expect(text).toContain('wafleet_edge_events_delivered_total 2');
  expect(text).toContain('wafleet_edge_connections_closed_total{reason="SLOW_CLIENT"} 1');
  expect(text).toContain('wafleet_edge_connections_closed_total{reason="KEY_REVOKED"} 0');
  client.close();
});
