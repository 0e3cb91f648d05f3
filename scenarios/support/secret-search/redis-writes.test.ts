import { observeTests, startRedis } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { redisWrites } from './redis-writes.js';
import { RunRecord } from './run-record.js';

function words(file: Buffer): string[][] {
  return [...redisWrites(file)].map(({ command, key, args }) => [command, key, ...args.map(String)]);
}

it('reads what Redis has written, also what was overwritten, by scripts, and before a crash', async ({
  onTestFinished,
}) => {
  const run = new RunRecord();
  onTestFinished(() => run.close());
  onTestFinished(observeTests(run));
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await redis.command('SET', 'a', 'first');
  await redis.command('SET', 'a', 'line\r\nbreak');
  await redis.kill();
  await redis.restart();
  await redis.command('EVAL', "redis.call('HSET', KEYS[1], 'f', ARGV[1])", '1', 'h', 'value');
  await redis.command('DEL', 'h');
  await redis.stop();

  const written = run
    .redisFiles()
    .flatMap(words)
    .filter(([command]) => command !== 'SELECT');
  expect(written).toEqual([
    ['SET', 'a', 'first'],
    ['SET', 'a', 'line\r\nbreak'],
    ['HSET', 'h', 'f', 'value'],
    ['DEL', 'h'],
  ]);
});

const TWO = Buffer.from('*2\r\n$3\r\ndel\r\n$1\r\na\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$2\r\n\r\n\r\n');

it('leaves out half a write at the end, wherever it ends', () => {
  expect(words(TWO)).toEqual([
    ['DEL', 'a'],
    ['SET', 'b', '\r\n'],
  ]);
  const [first] = [...redisWrites(TWO)];
  const begin = first?.bytes.length ?? 0;
  for (let end = begin; end < TWO.length; end += 1) {
    expect(words(TWO.subarray(0, end))).toEqual([['DEL', 'a']]);
  }
});

it('throws for a file that is not an append-only file', () => {
  expect(() => [...redisWrites(Buffer.from('REDIS0011\r\n'))]).toThrow('begins no command');
});
