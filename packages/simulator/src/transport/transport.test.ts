import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { Curve, NOISE_WA_HEADER, proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import { FrameReader, frame } from './frames.js';

describe('frames', () => {
  const hello = Buffer.from('hello');

  test('are cut from a stream in whatever pieces it comes', () => {
    const stream = Buffer.concat([
      NOISE_WA_HEADER,
      frame(hello),
      frame(Buffer.alloc(70_000, 1)),
      frame(hello),
    ]);
    const reader = new FrameReader();
    const frames: Buffer[] = [];
    for (let start = 0; start < stream.length; start += 777) {
      frames.push(...reader.push(stream.subarray(start, start + 777)));
    }
    expect(frames.map(({ length }) => length)).toEqual([5, 70_000, 5]);
    const bytewise = new FrameReader();
    const small = Buffer.concat([NOISE_WA_HEADER, frame(hello)]);
    expect([...small].flatMap((byte) => bytewise.push(Buffer.from([byte])))).toEqual([hello]);
  });

  test('can follow the routing info of a client', () => {
    const routing = Buffer.from([0x45, 0x44, 0, 1, 0, 0, 4, 8, 2, 8, 5]);
    const reader = new FrameReader();
    expect(reader.push(Buffer.concat([routing, NOISE_WA_HEADER, frame(hello)]))).toEqual([hello]);
  });

  test('of another protocol are refused', () => {
    expect(() => new FrameReader().push(Buffer.from('GET / HTTP/1.1'))).toThrow('wrong header');
  });
});

describe('the port', () => {
  const simulator = new Simulator({ tls: true });
  const anna = simulator.addPhone({ name: 'Anna' });
  const carl = simulator.addPhone({ name: 'Carl' });

  beforeAll(() => simulator.start());
  afterAll(() => simulator.stop());

  test('takes a client over wss with its self-signed certificate', async () => {
    expect(simulator.url).toMatch(/^wss:/);
    const client = await Client.linked(simulator, anna, { agent: new Agent({ rejectUnauthorized: false }) });
    await carl.send(anna, 'over TLS');
    await client.text('over TLS');
    await client.end();
  });

  test('answers http and https', async () => {
    const plain = await fetch(`http://${simulator.host}/healthz`);
    expect(await plain.json()).toMatchObject({ status: 'ok', phones: 2 });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = { rejectUnauthorized: false };
      request(`https://${simulator.host}/healthz`, options, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  test('lives through clients that do not speak the protocol', async () => {
    const closed = (socket: WebSocket) => new Promise((resolve) => socket.once('close', resolve));
    const url = simulator.url.replace('wss', 'ws');
    const garbage = [
      Buffer.from('hello, server'),
      Buffer.concat([NOISE_WA_HEADER, frame(Buffer.from([1, 2, 3]))]),
      Buffer.concat([NOISE_WA_HEADER, frame(Buffer.alloc(0))]),
    ];
    for (const bytes of garbage) {
      const socket = new WebSocket(url);
      socket.once('open', () => socket.send(bytes));
      await closed(socket);
    }
    const { public: ephemeral } = Curve.generateKeyPair();
    const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral } }).finish();
    const impostor = new WebSocket(url);
    impostor.once('open', () => impostor.send(Buffer.concat([NOISE_WA_HEADER, frame(hello)])));
    impostor.once('message', () => {
      const clientFinish = { static: Buffer.alloc(48), payload: Buffer.alloc(48) };
      impostor.send(frame(proto.HandshakeMessage.encode({ clientFinish }).finish()));
    });
    await closed(impostor);
    const raw = connect(simulator.port, '127.0.0.1');
    raw.write(Buffer.concat([Buffer.from([0x16]), Buffer.alloc(20, 0xff)]));
    await new Promise((resolve) => raw.once('close', resolve).on('error', () => undefined));
    expect((await fetch(`http://${simulator.host}/healthz`)).status).toBe(200);
  });

  test('is an error if it is taken', async () => {
    const second = new Simulator({ port: simulator.port });
    await expect(second.start()).rejects.toThrow('EADDRINUSE');
    await second.stop();
  });
});
