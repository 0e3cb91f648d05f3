import { type RawConnection, waitFor } from '@wafleet/testkit';
import { test } from 'vitest';
import { type AttackedCluster, expectNothingOf, NAMESPACE } from './attacked-cluster.js';

/** Texts, bytes and frames that are invalid in the protocols of Socket.IO, Engine.IO and WebSocket. */
export function attackPackets(attacked: AttackedCluster): void {
  const nsp = `${NAMESPACE},`;

  test.each([
    '4',
    '42',
    `42${nsp}`,
    `42${nsp}[`,
    `42${nsp}["subscribe"`,
    `42${nsp}{}`,
    `42${nsp}"x"`,
    `42${nsp}[1]`,
    `42${nsp}[null]`,
    `42${nsp}["__proto__"]`,
    `42${nsp}["disconnect"]`,
    `42${nsp}["connect_error"]`,
    `42${nsp}["subscription.error",{}]`,
    `42${nsp}["messages.upsert",{}]`,
    `42${nsp}99999999999999999999["subscribe",["*"]]`,
    `42${nsp}-1["subscribe",["*"]]`,
    `43${nsp}["x"]`,
    `43${nsp}0["x"]`,
    `43${nsp}99999999[]`,
    `43${nsp}__proto__[]`,
    `451-${nsp}["subscribe",{"_placeholder":true,"num":0}]`,
    `451-${nsp}["subscribe",{"_placeholder":true,"num":-1}]`,
    `451-${nsp}["subscribe",{"_placeholder":true,"num":"__proto__"}]`,
    `459999999999-${nsp}["x"]`,
    `45-${nsp}["x"]`,
    `451000000-${nsp}["x"]`,
    `461-${nsp}0["x"]`,
    `450-${nsp}["x"]`,
    'bAAAA',
    'b',
    `40${nsp}{}`,
    `40${nsp}`,
    '40/admin,{}',
    '40/__proto__,{}',
    `40/${'x'.repeat(50_000)},{}`,
    '42/admin,["x"]',
    `41${nsp}`,
    `44${nsp}{"message":"x"}`,
    `44${nsp}`,
    '47',
    '49',
    '4\u0000',
    '0',
    '1',
    '2',
    '2probe',
    '3',
    '3probe',
    '5',
    '6',
    '7',
    '9',
    '',
    '\u001e',
    '💥',
    'x'.repeat(90_000),
    `4${'9'.repeat(90_000)}`,
    `42${nsp}["subscribe",${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}]`,
  ])('that are none leave the edge alive (%#)', async (packet) => {
    const [before, after] = [await attacked.open(), await attacked.join({ token: attacked.attacker.apiKey })];
    before.send(packet);
    after.send(packet);
    after.send(`42${nsp}5["subscribe",["nonsense"]]`);
    // The connection continues or ends. It never stays open without an answer.
    await waitFor(() => after.isEnded || after.messages.some((message) => message.startsWith(`43${nsp}5[`)), {
      what: 'an answer or the end',
    });
    expectNothingOf(after);
    expectNothingOf(before);
    await attacked.expectAlive();
  });

  test('that come with bytes that do not belong to them leave the edge alive', async () => {
    const connection = await attacked.join({ token: attacked.attacker.apiKey });
    connection.send(Buffer.from([1, 2, 3]), { opcode: 0x2 });
    const other = await attacked.join({ token: attacked.attacker.apiKey });
    other.send(`452-${nsp}1["subscribe",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`);
    for (let part = 0; part < 5; part += 1) other.send(Buffer.alloc(1_000), { opcode: 0x2 });
    await waitFor(() => connection.isEnded && other.isEnded, { what: 'the end' });
    await attacked.expectAlive();
  });

  test.each([
    ['not masked', (connection: RawConnection) => connection.send('40', { isMasked: false })],
    ['of a reserved kind', (connection: RawConnection) => connection.send('40', { opcode: 0x3 })],
    [
      'longer than anything',
      (connection: RawConnection) => connection.write(Buffer.from('81ff7fffffffffffffff00000000', 'hex')),
    ],
    ['no text', (connection: RawConnection) => connection.send(Buffer.from('4\xff\xfe', 'latin1'))],
    ['a large ping', (connection: RawConnection) => connection.send('x'.repeat(126), { opcode: 0x9 })],
    [
      'a close with a bad code',
      (connection: RawConnection) => connection.send(Buffer.from([0, 1]), { opcode: 0x8 }),
    ],
    ['HTTP', (connection: RawConnection) => connection.write('GET / HTTP/1.1\r\n\r\n')],
    ['the end of nothing', (connection: RawConnection) => connection.send('40', { opcode: 0x0 })],
  ])('in frames that are %s end the connection', async (_what, send) => {
    const connection = await attacked.join({ token: attacked.attacker.apiKey });
    send(connection);
    await waitFor(() => connection.isEnded, { what: 'the end' });
    await attacked.expectAlive();
  });

  test('in endless pieces are cut off, and so are endless pings whose answers the client does not read', async () => {
    const pieces = await attacked.join({ token: attacked.attacker.apiKey });
    pieces.send('4', { isFinal: false });
    for (let part = 0; part < 200; part += 1) pieces.send('x'.repeat(1_000), { opcode: 0x0, isFinal: false });
    const pings = await attacked.join({ token: attacked.attacker.apiKey });
    pings.pause();
    const closed = () => attacked.metric('wafleet_edge_connections_closed_total{reason="TOO_MANY_FRAMES"}');
    const before = await closed();
    for (let ping = 0; ping < 2_000; ping += 1) pings.send('x'.repeat(120), { opcode: 0x9 });
    await waitFor(() => pieces.isEnded, { what: 'the end of the pieces' });
    await waitFor(async () => (await closed()) > before, { what: 'the end of the pings' });
    await attacked.expectAlive();
  });
}
