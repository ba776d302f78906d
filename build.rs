//! Lets the binaries find the prebuilt libduckdb wherever the target directory is.
//! Nothing else belongs here: with `--features bundled`, or without the notebook, this script does nothing.

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let feature = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    let linked = feature("NOTEBOOK") && !feature("BUNDLED");
    if let (true, Some(dir)) = (linked, std::env::var_os("DUCKDB_LIB_DIR")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", dir.display());
        // Beside the binary too, so that the two files can be copied elsewhere together.
        println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN");
    }
}
