# For `sam build`, which asks for one function at a time: `build-PostAuthFunction` puts the binary `post-auth`
# into ARTIFACTS_DIR. The first builds all of them, the others find them built.

KESSAI_ARCHITECTURE ?= arm64
CARGO_TARGET_DIR ?= target
binary = $(shell echo $* | sed -E 's/([a-z])([A-Z])/\1-\2/g' | tr A-Z a-z)

# All that need nothing but the features below, or some by name: BINARIES='--bin authorize'.
BINARIES ?= --bins

.PHONY: binaries
build-%Function: binaries
	cp "$(CARGO_TARGET_DIR)/lambda/$(binary)/bootstrap" "$(ARTIFACTS_DIR)"

binaries:
	cargo lambda build --profile lambda --locked --target $(target_$(KESSAI_ARCHITECTURE)) -p kessai-functions $(BINARIES) --no-default-features --features lambda

target_arm64 = aarch64-unknown-linux-gnu
target_x86_64 = x86_64-unknown-linux-gnu
