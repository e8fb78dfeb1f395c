/// Every key that a configuration may have.
package enum ConfigurationKeys {
  /// The keys by the path of their section: nothing for the document itself, `[]` for any entry of a list.
  package static let sections = [
    "": """
    seed threads precision memory model data diffusion optimizer alignment class_token contrastive compute_budget \
    stages distribution non_finite checkpoint validation samples log
    """,
    "memory": "recompute",
    "model": """
    size width heads depth side channels patch classes mlp_ratio rope_theta fusion mask_token norm qk_norm_epsilon \
    value_residual position output_order class_token
    """,
    "data": "train validation flip",
    "diffusion": "path time time_shift",
    "optimizer": "beta1 beta2 epsilon weight_decay clip",
    "alignment": "features feature_width after_block projector weight last_step attention angle",
    "alignment.attention": "teacher blocks heads weight",
    "alignment.angle": "block first_step interval images times threshold",
    "class_token": "teacher weight",
    "contrastive": "weight",
    "stages[]": """
    name steps share batch accumulate learning_rate warmup warmup_start learning_rate_schedule final_rate drop \
    path_drop path_drop_per label_drop ema early_ema early_ema_updates ema_warmup start_from plateau
    """,
    "stages[].drop": "kind ratio group kept",
    "stages[].plateau": "patience threshold",
    "distribution": "sharded wire timeout",
    "checkpoint": "interval keep keep_every on_failure background",
    "validation": "interval samples",
    "samples": """
    interval per_class classes sampler guidance guidance_interval steps scale keep_class class_token_scale autoencoder
    """,
    "log": "interval tensorboard",
  ].mapValues { $0.split(separator: " ").map(String.init) }

  /// Returns the section that a path such as `stages[1].drop` leads to.
  static func section(at path: String) -> String { path.replacing(/\[\d+\]/, with: "[]") }

  /// Returns the whole name of a key of a section.
  static func path(_ section: String, _ key: String) -> String { section.isEmpty ? key : "\(section).\(key)" }
}
