// What an import gives for a file, folder or symlink, and how a node of it is put: shared by the builders.
//
// Thread rule: values. Limits: none.
#pragma once

#include <optional>
#include <span>

#include "shared/base/bytes.h"
#include "shared/content/block.h"
#include "shared/content/cid.h"
#include "shared/content/dag_pb.h"
#include "shared/content/import_profile.h"
#include "shared/content/unixfs.h"

namespace cidbus {

struct ImportedNode {
  Cid cid;
  NodeKind kind = NodeKind::File;
  ByteCount size = 0;  // bytes of a file or of a symlink's target; 0 for a folder
  ByteCount tsize =
      0;  // bytes of all blocks, each as often as it is linked: the Tsize of a link to this node
  unsigned height = 0;  // levels of blocks below the root
};

// The CID of a dag-pb block under the profile.
inline Cid dag_pb_cid(const ImportProfile& profile, ByteView block) {
  const Multihash multihash = sha2_256(block);
  return profile.cid_version == 0 ? Cid::v0(multihash) : Cid::v1(Codec::DagPb, multihash);
}

struct PutNode {
  Cid cid;
  ByteCount block_bytes = 0;
};

// Encodes, hashes and puts one node. REQUIRES: links ordered by name.
inline Result<PutNode> put_node(const ImportProfile& profile, BlockSink& sink,
                                std::span<const DagPbLink> links, const UnixFsData& data) {
  const Bytes message = encode_unixfs(data);
  const Bytes block = encode_dag_pb(links, message);
  PutNode node{dag_pb_cid(profile, block), block.size()};
  if (auto put = sink.put(node.cid, block); !put) return tl::unexpected(put.error());
  return node;
}

}  // namespace cidbus
