import { PartitionedLru } from '@wafleet/runtime';
import { DEFAULT_CONNECTION_CONFIG } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { SignalAccount } from '../../testing/signal-account.js';
import { newCredentials } from '../baileys.js';
import { withSharedLidMappings } from './shared-lid-mappings.js';

const { logger, makeSignalRepository } = DEFAULT_CONNECTION_CONFIG;

test('pairs of number and LID are remembered within the bound, and found in the store beyond it', async () => {
  const creds = newCredentials();
  const { store, keys } = await SignalAccount.create('4915112345678', creds);
  const cache = new PartitionedLru<string>({ max: 4 });
  const { lidMapping } = withSharedLidMappings(makeSignalRepository, cache.createPartition())(
    { creds, keys },
    logger,
  );
  for (const each of [1, 2, 3]) {
    await lidMapping.storeLIDPNMappings([{ pn: `${each}@s.whatsapp.net`, lid: `10${each}@lid` }]);
  }
  expect(cache.size).toBe(4);

  let reads = 0;
  store.answer = async () => {
    reads += 1;
  };
  expect(await lidMapping.getLIDForPN('3@s.whatsapp.net')).toBe('103@lid');
  expect(reads).toBe(0);
  expect(await lidMapping.getLIDForPN('1@s.whatsapp.net')).toBe('101@lid');
  expect(reads).toBe(1);
  expect(await lidMapping.getPNForLID('101@lid')).toBe('1:0@s.whatsapp.net');
});
