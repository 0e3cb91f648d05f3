import * as models from '@kubernetes/client-node/dist/gen/models/all.js';

interface Attribute {
  baseName: string;
  type: string;
}

/**
 * Validates a Kubernetes object with the API's own schema: finds unknown fields and values of a wrong type. Returns one
 * line per finding, each beginning with the field's path.
 */
export function findings(kind: string, apiVersion: string, value: unknown): string[] {
  const model = modelName(kind, apiVersion);
  if (attributesOf(model) === undefined) return [`there is no ${kind} in ${apiVersion}`];
  return check(value, model, kind);
}

function modelName(kind: string, apiVersion: string): string {
  const version = apiVersion.split('/').at(-1) ?? '';
  return `${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`;
}

function attributesOf(model: string): readonly Attribute[] | undefined {
  const found = Object.entries(models).find(([name]) => name === model)?.[1];
  if (found === undefined || !('getAttributeTypeMap' in found)) return undefined;
  return found.getAttributeTypeMap();
}

function check(value: unknown, type: string, path: string): string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1] ?? /^Set<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path} is not a list`];
    return value.flatMap((item, index) => check(item, list, `${path}[${index}]`));
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    return entries(value, path, (key, item) => check(item, map, `${path}.${key}`));
  }
  const attributes = attributesOf(type);
  if (attributes !== undefined) {
    return entries(value, path, (key, item) => {
      const attribute = attributes.find(({ baseName }) => baseName === key);
      return attribute === undefined
        ? [`${path} has no field ${key}`]
        : check(item, attribute.type, `${path}.${key}`);
    });
  }
  return isOf(value, type) ? [] : [`${path} is ${JSON.stringify(value)}, not of type ${type}`];
}

function entries(value: unknown, path: string, each: (key: string, item: unknown) => string[]): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path} is not an object`];
  return Object.entries(value).flatMap(([key, item]) => each(key, item));
}

function isOf(value: unknown, type: string): boolean {
  if (type === 'any' || type === 'object') return true;
  if (type === 'IntOrString') return typeof value === 'string' || Number.isInteger(value);
  if (type === 'Date') return typeof value === 'string' && !Number.isNaN(Date.parse(value));
  return typeof value === type;
}
