import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LossyPort } from './lossy-port.js';
import { startRedis, type TestRedis } from './start-redis.js';

let redis: TestRedis;
let lossy: LossyPort;

beforeAll(async () => {
  redis = await startRedis();
  lossy = await LossyPort.open(redis.port);
});

afterAll(async () => {
  await lossy.close();
  await redis.stop();
});

it('carries out the chosen request, and loses its answer and its connection', async () => {
  const socket = connect(lossy.port, '127.0.0.1');
  const answers: string[] = [];
  socket.on('data', (data) => answers.push(String(data)));
  socket.write('INCR a\r\n');
  await once(socket, 'data');
  lossy.loseAnswer('INCR b', 'cut');
  socket.write('INCR b\r\n');
  await once(socket, 'close');
  expect(answers).toEqual([':1\r\n']);
  expect(await redis.command('GET', 'b')).toContain('1');
});
