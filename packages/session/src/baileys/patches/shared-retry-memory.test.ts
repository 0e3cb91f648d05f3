import { PartitionedLru } from '@wafleet/runtime';
import { DEFAULT_CONNECTION_CONFIG, MessageRetryManager, proto } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { type RetryMemory, shareRetryMemory } from './shared-retry-memory.js';

const { logger, maxMsgRetryCount } = DEFAULT_CONNECTION_CONFIG;
const text = proto.Message.create({ conversation: 'a text' });
const newManager = () => new MessageRetryManager(logger, maxMsgRetryCount);

function newMemory(): RetryMemory {
  const part = <T extends NonNullable<unknown>>() => new PartitionedLru<T>({ max: 100 }).createPartition();
  return {
    recentMessages: part(),
    recentNames: part(),
    recreations: part(),
    counters: part(),
    baseKeys: part(),
  };
}

test('by itself a manager forgets with its socket, and keeps what was received', () => {
  const manager = newManager();
  manager.incrementRetryCount('A');
  manager.addRecentMessage('1@lid', 'RECEIVED', text);
  expect(manager.getRecentMessage('1@lid', 'RECEIVED')).toBeDefined();
  // As Baileys does when a socket ends.
  manager.clear();
  expect(manager.getRetryCount('A')).toBe(0);
});

test('the next socket knows the counts of the one before', () => {
  const memory = newMemory();
  const [before, after] = [newManager(), newManager()];
  for (const manager of [before, after]) shareRetryMemory(manager, memory, () => true);
  for (let count = 0; count < maxMsgRetryCount; count += 1) before.incrementRetryCount('A');
  before.saveBaseKey('1_1.0', 'A', Buffer.alloc(32, 1));
  before.shouldRecreateSession('1@lid', false);
  before.addRecentMessage('1@lid', 'SENT', text);
  before.clear();

  expect(after.hasExceededMaxRetries('A')).toBe(true);
  expect(after.hasSameBaseKey('1_1.0', 'A', Buffer.alloc(32, 1))).toBe(true);
  expect(after.shouldRecreateSession('1@lid', true).recreate).toBe(false);
  expect(after.getRecentMessage('1@lid', 'SENT')?.message).toBe(text);
  after.markRetrySuccess('SENT');
  expect(after.getRecentMessage('1@lid', 'SENT')).toBeUndefined();
});

test('only messages that are to be kept are kept', () => {
  const manager = newManager();
  shareRetryMemory(manager, newMemory(), (id) => id !== 'RECEIVED');
  manager.addRecentMessage('1@lid', 'RECEIVED', text);
  expect(manager.getRecentMessage('1@lid', 'RECEIVED')).toBeUndefined();
});

test('a release of Baileys that keeps its retries differently is detected', () => {
  expect(() => shareRetryMemory(null, newMemory(), () => true)).toThrow('Baileys');
});
