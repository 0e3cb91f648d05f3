import { WafleetError } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import type { TestSession } from './harness.js';

/** Waits until the phone of a linked session has shared the keys of the account's settings, after which they can change. */
export async function settingsShared({ session }: TestSession, chat: string): Promise<void> {
  const isShared = async () => {
    try {
      await session.execute('unpin-chat', { chat });
      return true;
    } catch (error) {
      if (error instanceof WafleetError && error.code === 'UNAVAILABLE') return false;
      throw error;
    }
  };
  await waitFor(isShared, { what: 'the keys of the settings' });
}
