import type { RedisConnection } from '../redis/connection.js';

async function contentOf(redis: RedisConnection, key: string): Promise<Buffer[]> {
  switch (await redis.type(key)) {
    case 'string':
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'hash':
      return Object.entries(await redis.hgetallBuffer(key)).flatMap(([field, value]) => [
        Buffer.from(field),
        value,
      ]);
    case 'set':
      return (await redis.smembersBuffer(key)).sort(Buffer.compare);
    case 'zset':
      return redis.zrangeBuffer(key, 0, '-1');
    case 'list':
      return redis.lrangeBuffer(key, 0, -1);
    case 'stream':
      return (await redis.xrangeBuffer(key, '-', '+')).flatMap(([id, fields]) => [id, ...fields]);
    default:
      throw new Error(`no reader for the type of ${key}`);
  }
}

/** All keys of Redis with all that they hold, uncompressed and in a fixed order. */
export async function everythingIn(redis: RedisConnection): Promise<Buffer> {
  const names = (await redis.keys('*')).sort();
  const contents = await Promise.all(
    names.map(async (name) => [Buffer.from(name), ...(await contentOf(redis, name))]),
  );
  const newline = Buffer.from('\n');
  return Buffer.concat(contents.flat().flatMap((part) => [part, newline]));
}
