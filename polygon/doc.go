// Package polygon brings the vendor's market data (Massive, formerly Polygon) into the local store:
// it lists, downloads, decodes and stores flat files, takes bars from the REST API where a plan has no
// flat files, and adds reference data from there.
//
// In: Options. Out: sessions and reference data in a store, the downloaded files verbatim below raw/,
// what came by REST below raw/rest/ in the same form, and a Summary of what was done and of every
// fault. Sync is the whole way, and also verifies, heals and prunes; Load is the part after the
// download, for files that are on disk already. It refuses to mix asset classes in a store, and to
// replace a session of the vendor's files by one from REST.
//
// What REST gave is not asked for again, except for the period at hand: unlike a replaced flat file, a
// later correction by the vendor is not noticed. Delete raw/rest to have it all again.
//
// The parts: flatfile (reads and writes the files: flatfile.Write, flatfile.NewEncoder), inflate
// (decompresses them), bucket (S3: listing, downloads, manifest), reference (REST: splits, dividends,
// tickers, renames, holidays, bars; the same JSON shapes as files below raw/reference/).
package polygon
