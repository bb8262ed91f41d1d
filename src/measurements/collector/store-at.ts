import { type S3Place, S3Store } from './s3-store.ts';
import { DirectoryStore, type Store } from './store.ts';

/** The store that the settings name. */
export function storeAt(
  place: { readonly kind: 'directory'; readonly path: string } | ({ readonly kind: 's3' } & S3Place),
): Store {
  return place.kind === 'directory' ? new DirectoryStore(place.path) : new S3Store(place);
}
