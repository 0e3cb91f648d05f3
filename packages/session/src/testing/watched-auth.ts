import { AuthStateStore } from '@wafleet/store';
import type { SignalDataSet } from '@whiskeysockets/baileys';

/** Calls `aroundWrite` for the next write of records that `isAwaited` accepts, once. */
export class WatchedAuth extends AuthStateStore {
  isAwaited: (data: SignalDataSet) => boolean = () => false;
  aroundWrite: (write: () => Promise<void>) => Promise<void> = (write) => write();

  override async load(...args: Parameters<AuthStateStore['load']>) {
    const state = await super.load(...args);
    const set = async (data: SignalDataSet) => {
      const write = async () => state.keys.set(data);
      if (!this.isAwaited(data)) return write();
      this.isAwaited = () => false;
      return this.aroundWrite(write);
    };
    return { ...state, keys: { ...state.keys, set } };
  }
}
