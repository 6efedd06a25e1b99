/** A promise that is resolved from outside (Promise.withResolvers, which Node 20 has not). Resolving it again does nothing. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;

  constructor() {
    this.promise = new Promise(resolve => {
      this.resolve = resolve;
    });
  }
}
