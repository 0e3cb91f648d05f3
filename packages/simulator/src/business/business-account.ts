/** A product of a catalogue. */
export interface CatalogProduct {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly retailerId?: string;
  readonly url?: string;
  /** In thousandths of the currency; absent if it has no price. */
  readonly price?: number;
  readonly currency?: string;
  readonly imageUrl?: string;
  readonly isHidden?: boolean;
}

export interface CatalogCollection {
  readonly id: string;
  readonly name: string;
  readonly products: readonly CatalogProduct[];
}

export interface CustomerOrder {
  readonly id: string;
  readonly token: string;
  readonly currency: string;
  readonly items: readonly { readonly product: CatalogProduct; readonly quantity: number }[];
}

/** One day of the business hours, with the attributes that WhatsApp gives it. */
export type OpeningAttrs = Readonly<Record<string, string>>;

/** What makes an account one of a business. */
export class BusinessAccount {
  readonly texts = new Map<'address' | 'description' | 'email', string>();
  websites: readonly string[] = [];
  categories: readonly { readonly id: string; readonly name: string }[] = [];
  hours: { readonly timezone: string; readonly days: readonly OpeningAttrs[] } | undefined;
  products: readonly CatalogProduct[] = [];
  collections: readonly CatalogCollection[] = [];
  readonly orders: CustomerOrder[] = [];
}
