//! Lets the binaries find the prebuilt libduckdb wherever the target directory is.
//! Nothing else belongs here: with `--features bundled` this script does nothing.

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let bundled = std::env::var_os("CARGO_FEATURE_BUNDLED").is_some();
    if let (false, Some(dir)) = (bundled, std::env::var_os("DUCKDB_LIB_DIR")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", dir.display());
        // Beside the binary too, so that the two files can be copied elsewhere together.
        println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN");
    }
}
