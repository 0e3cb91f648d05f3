import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';

/** The protobuf schema that Baileys' own classes are generated from, with the reflection that those lack. */
const root = protobuf.loadSync(
  join(
    dirname(createRequire(import.meta.url).resolve('@whiskeysockets/baileys/package.json')),
    'WAProto/WAProto.proto',
  ),
);
root.resolveAll();

/** One step from a message to what it holds. */
export interface SchemaField {
  readonly name: string;
  readonly type: string;
  readonly isList: boolean;
  /** The type of a field that holds a message. */
  readonly message: protobuf.Type | undefined;
  /** The numbers of a field that holds an enum. */
  readonly numbers: readonly number[] | undefined;
}

export function typeOf(name: string): protobuf.Type {
  return root.lookupType(name);
}

export function fieldsOf(type: protobuf.Type): SchemaField[] {
  return type.fieldsArray.map((field) => {
    const { resolvedType } = field.resolve();
    return {
      name: field.name,
      type: field.type,
      isList: field.repeated,
      message: resolvedType instanceof protobuf.Type ? resolvedType : undefined,
      numbers: resolvedType instanceof protobuf.Enum ? Object.values(resolvedType.values) : undefined,
    };
  });
}

/** A field somewhere in a message, and how to get there. */
export interface Found {
  readonly path: readonly SchemaField[];
  readonly field: SchemaField;
}

/** Every field of every type that a message can hold, each once, by one of the shortest ways there. */
export function reachableFields(start: string): Found[] {
  const found: Found[] = [];
  const seen = new Set<protobuf.Type>();
  const next: { type: protobuf.Type; path: SchemaField[] }[] = [{ type: typeOf(start), path: [] }];
  for (let at = next.shift(); at !== undefined; at = next.shift()) {
    if (seen.has(at.type)) continue;
    seen.add(at.type);
    for (const field of fieldsOf(at.type)) {
      found.push({ path: at.path, field });
      if (field.message !== undefined) next.push({ type: field.message, path: [...at.path, field] });
    }
  }
  return found;
}
