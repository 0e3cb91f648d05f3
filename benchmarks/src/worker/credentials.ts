import type { ReadyCompanion } from '@wafleet/simulator';
import {
  AuthStateStore,
  type Cipher,
  Ownership,
  type RedisConnection,
  type SessionRef,
} from '@wafleet/store';
import { useMultiFileAuthState } from '@whiskeysockets/baileys';

const LINKER = 'benchmark';

/** Stores what a linked client has, as Baileys' own multi-file form. */
export async function saveToFiles(folder: string, { creds, preKeys }: ReadyCompanion): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  Object.assign(state.creds, creds);
  await state.keys.set({ 'pre-key': { ...preKeys } });
  await saveCreds();
}

/** Stores it where a worker finds it: as the session's owner, which gives it up at once. */
export async function saveToRedis(
  redis: RedisConnection,
  cipher: Cipher,
  ref: SessionRef,
  { creds, preKeys }: ReadyCompanion,
): Promise<void> {
  const ownership = new Ownership(redis);
  const claim = await ownership.claim(ref, { worker: LINKER });
  if ('refusedBy' in claim) throw new Error(`${claim.refusedBy.worker} owns a session of the benchmark`);
  const store = new AuthStateStore({ redis, cipher, fence: claim.fence });
  const { keys } = await store.load(() => creds);
  await keys.set({ 'pre-key': { ...preKeys } });
  await store.saveCreds();
  await ownership.release(claim.fence);
}
