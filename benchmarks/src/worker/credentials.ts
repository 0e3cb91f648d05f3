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

/** Stores the credentials of a linked client in Baileys' multi-file format. */
export async function saveToFiles(folder: string, { creds, preKeys }: ReadyCompanion): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  Object.assign(state.creds, creds);
  await state.keys.set({ 'pre-key': { ...preKeys } });
  await saveCreds();
}

/** Stores the credentials where a worker finds them: claims the session, stores them, and releases it at once. */
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
