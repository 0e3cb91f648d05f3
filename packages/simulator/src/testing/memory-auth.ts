import {
  type AuthenticationState,
  BufferJSON,
  initAuthCreds,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
} from '@whiskeysockets/baileys';

/** An auth state in memory. Values are stored as JSON, so that later changes of an object do not affect them. */
export function memoryAuth(): AuthenticationState {
  const stored = new Map<string, string>();
  return {
    creds: initAuthCreds(),
    keys: {
      get: async <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) => {
        const found: { [id: string]: SignalDataTypeMap[Type] } = {};
        for (const id of ids) {
          const text = stored.get(`${type} ${id}`);
          if (text === undefined) continue;
          const value = JSON.parse(text, BufferJSON.reviver);
          found[id] =
            type === 'app-state-sync-key' ? proto.Message.AppStateSyncKeyData.fromObject(value) : value;
        }
        return found;
      },
      set: async (data: SignalDataSet) => {
        for (const [type, entries] of Object.entries(data)) {
          for (const [id, value] of Object.entries(entries ?? {})) {
            if (value === null) stored.delete(`${type} ${id}`);
            else stored.set(`${type} ${id}`, JSON.stringify(value, BufferJSON.replacer));
          }
        }
      },
    },
  };
}
