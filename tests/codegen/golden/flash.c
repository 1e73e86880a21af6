/* (kernel flash (syms B T (D :is 64))
 *   (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))
 *   (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))
 *   (def kt (h c2 j2) (load Kx h j2 c2))
 *   (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j))))
 *   (def sv (h i j) (mul 0.125 (s h i j)))
 *   (def m (h i) (max (j) (sv h i j)))
 *   (def p (h i j) (exp (sub (sv h i j) (m h i))))
 *   (def l (h i) (sum (j) (p h i j)))
 *   (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e))))
 *   (store set O (h i e) (div (o h i e) (l h i)))) */
void flash_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const Q = (const float *)arg[0];
    const float *const Kx = (const float *)arg[1];
    const float *const V = (const float *)arg[2];
    float *const O = (float *)arg[3];
    float *const kt = (float *)arg[4];
    const int64_t T = sym[1];
    const int64_t h = part;
    for (int64_t jp = 0; jp < (T + 31)/32; jp++) {
        for (int64_t c0 = 0; c0 < 4; c0++) {
            gn_tr16_f32(kt + 512*c0 + 2048*jp, 32, Kx + 64*T*h + 16*c0 + 2048*jp, 64, 16, T - 32*jp);
            gn_tr16_f32(kt + 512*c0 + 2048*jp + 16, 32, Kx + 64*T*h + 16*c0 + 2048*jp + 1024, 64, 16, T - 32*jp - 16);
        }
    }
    for (int64_t ir = 0; ir < (T + 1)/2; ir++) {
        float m_0, m_1;
        float m_c_0, m_c_1;
        float l_0, l_1;
        gn_f32x16 l_a_0, l_a_1;
        gn_f32x16 o[2][4];
        m_0 = (-GN_INF_F32);
        m_1 = (-GN_INF_F32);
        l_a_0 = gn_splat_f32x16(0.0f);
        l_a_1 = gn_splat_f32x16(0.0f);
        o[0][0] = gn_splat_f32x16(0.0f);
        o[0][1] = gn_splat_f32x16(0.0f);
        o[0][2] = gn_splat_f32x16(0.0f);
        o[0][3] = gn_splat_f32x16(0.0f);
        o[1][0] = gn_splat_f32x16(0.0f);
        o[1][1] = gn_splat_f32x16(0.0f);
        o[1][2] = gn_splat_f32x16(0.0f);
        o[1][3] = gn_splat_f32x16(0.0f);
        for (int64_t j0 = 0; j0 < ir/16; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s1 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_f32x16 v2 = gn_load_f32x16(kt + 32*c + 2048*j0);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s1), v2, s_0_0);
                const gn_f32x16 v4 = gn_load_f32x16(kt + 32*c + 2048*j0 + 16);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s1), v4, s_0_1);
                const float s6 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s6), v2, s_1_0);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s6), v4, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            mb_a_0 = sv_0_0;
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_1 = sv_1_0;
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s17 = m_0;
            const float s18 = gn_max_f32(s17, mb_0);
            m_0 = s18;
            const float s19 = gn_max_f32(s18, (-3.4028235e+38f));
            const float s20 = s17 - s19;
            m_c_0 = gn_exp_f32(s20);
            const float s22 = m_1;
            const float s23 = gn_max_f32(s22, mb_1);
            m_1 = s23;
            const float s24 = gn_max_f32(s23, (-3.4028235e+38f));
            const float s25 = s22 - s24;
            m_c_1 = gn_exp_f32(s25);
            const float s27 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v28 = sv_0_0 - gn_splat_f32x16(s27);
            const gn_f32x16 v29 = gn_exp_f32x16(v28);
            const _Bool s30 = 2*ir < T;
            const gn_f32x16 v31 = s30 ? v29 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v31);
            const gn_f32x16 v32 = sv_0_1 - gn_splat_f32x16(s27);
            const gn_f32x16 v33 = gn_exp_f32x16(v32);
            const gn_f32x16 v34 = s30 ? v33 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v34);
            const float s35 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v36 = sv_1_0 - gn_splat_f32x16(s35);
            const gn_f32x16 v37 = gn_exp_f32x16(v36);
            const _Bool s38 = 2*ir + 1 < T;
            const gn_f32x16 v39 = s38 ? v37 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v39);
            const gn_f32x16 v40 = sv_1_1 - gn_splat_f32x16(s35);
            const gn_f32x16 v41 = gn_exp_f32x16(v40);
            const gn_f32x16 v42 = s38 ? v41 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v42);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            l_a_0 = l_a_0 + v31;
            l_a_0 = l_a_0 + v34;
            l_a_1 = l_a_1 + v39;
            l_a_1 = l_a_1 + v42;
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
            }
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < 32; jq++) {
                gn_f32x16 loads[4];
                const float s51 = p[jq];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v52 = gn_load_f32x16(V + 64*T*h + 16*eu + 2048*j0 + 64*jq);
                    loads[eu] = v52;
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s51), v52, o[0][eu]);
                }
                const float s54 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s54), loads[eu], o[1][eu]);
                }
            }
        }
        for (int64_t j0 = ir/16; j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s56 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_b16 m57 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
                const gn_f32x16 v58 = gn_loadm_f32x16(kt, 32*c + 2048*j0, m57);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s56), v58, s_0_0);
                const gn_b16 m60 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
                const gn_f32x16 v61 = gn_loadm_f32x16(kt, 32*c + 2048*j0 + 16, m60);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s56), v61, s_0_1);
                const float s63 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                const gn_b16 m64 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
                const gn_f32x16 v65 = gn_loadm_f32x16(kt, 32*c + 2048*j0, m64);
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s63), v65, s_1_0);
                const gn_b16 m67 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
                const gn_f32x16 v68 = gn_loadm_f32x16(kt, 32*c + 2048*j0 + 16, m67);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s63), v68, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            const gn_b16 m74 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
            mb_a_0 = gn_sel_f32x16(m74, sv_0_0, gn_splat_f32x16((-GN_INF_F32)));
            const gn_f32x16 v76 = gn_max_f32x16(mb_a_0, sv_0_1);
            const gn_b16 m77 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
            mb_a_0 = gn_sel_f32x16(m77, v76, mb_a_0);
            const gn_b16 m79 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
            mb_a_1 = gn_sel_f32x16(m79, sv_1_0, gn_splat_f32x16((-GN_INF_F32)));
            const gn_f32x16 v81 = gn_max_f32x16(mb_a_1, sv_1_1);
            const gn_b16 m82 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
            mb_a_1 = gn_sel_f32x16(m82, v81, mb_a_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s86 = m_0;
            const float s87 = gn_max_f32(s86, mb_0);
            const _Bool s88 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir), 32) + 1;
            const float s89 = s88 ? s87 : s86;
            m_0 = s89;
            const float s90 = gn_max_f32(s89, (-3.4028235e+38f));
            const float s91 = s86 - s90;
            m_c_0 = gn_exp_f32(s91);
            const float s93 = m_1;
            const float s94 = gn_max_f32(s93, mb_1);
            const _Bool s95 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1;
            const float s96 = s95 ? s94 : s93;
            m_1 = s96;
            const float s97 = gn_max_f32(s96, (-3.4028235e+38f));
            const float s98 = s93 - s97;
            m_c_1 = gn_exp_f32(s98);
            const float s100 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v101 = sv_0_0 - gn_splat_f32x16(s100);
            const gn_f32x16 v102 = gn_exp_f32x16(v101);
            const gn_f32x16 v103 = gn_sel_f32x16(m74, v102, gn_splat_f32x16(0.0f));
            const _Bool s104 = 2*ir < T;
            const gn_f32x16 v105 = s104 ? v103 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v105);
            const gn_f32x16 v106 = sv_0_1 - gn_splat_f32x16(s100);
            const gn_f32x16 v107 = gn_exp_f32x16(v106);
            const gn_f32x16 v108 = gn_sel_f32x16(m77, v107, gn_splat_f32x16(0.0f));
            const gn_f32x16 v109 = s104 ? v108 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v109);
            const float s110 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v111 = sv_1_0 - gn_splat_f32x16(s110);
            const gn_f32x16 v112 = gn_exp_f32x16(v111);
            const gn_f32x16 v113 = gn_sel_f32x16(m79, v112, gn_splat_f32x16(0.0f));
            const _Bool s114 = 2*ir + 1 < T;
            const gn_f32x16 v115 = s114 ? v113 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v115);
            const gn_f32x16 v116 = sv_1_1 - gn_splat_f32x16(s110);
            const gn_f32x16 v117 = gn_exp_f32x16(v116);
            const gn_f32x16 v118 = gn_sel_f32x16(m82, v117, gn_splat_f32x16(0.0f));
            const gn_f32x16 v119 = s114 ? v118 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v119);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            const gn_f32x16 v122 = l_a_0 + v105;
            l_a_0 = gn_sel_f32x16(m74, v122, l_a_0);
            const gn_f32x16 v124 = l_a_0 + v109;
            l_a_0 = gn_sel_f32x16(m77, v124, l_a_0);
            const gn_f32x16 v126 = l_a_1 + v115;
            l_a_1 = gn_sel_f32x16(m79, v126, l_a_1);
            const gn_f32x16 v128 = l_a_1 + v119;
            l_a_1 = gn_sel_f32x16(m82, v128, l_a_1);
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
            }
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq++) {
                gn_f32x16 loads_2[4];
                const float s132 = p[jq];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v133 = gn_load_f32x16(V + 64*T*h + 16*eu + 2048*j0 + 64*jq);
                    loads_2[eu] = v133;
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s132), v133, o[0][eu]);
                }
                const float s135 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s135), loads_2[eu], o[1][eu]);
                }
            }
            GN_UNROLL(4)
            for (int64_t jq = gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq < gn_min_i64(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0, 32); jq++) {
                const float s137 = p[jq];
                const _Bool s138 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir) + 1;
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v139 = gn_load_f32x16(V + 64*T*h + 16*eu + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))));
                    const gn_f32x16 v140 = gn_fma_f32x16(gn_splat_f32x16(s137), v139, o[0][eu]);
                    o[0][eu] = s138 ? v140 : o[0][eu];
                }
                const float s142 = p[jq + 32];
                const _Bool s143 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir + 1) + 1;
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v144 = gn_load_f32x16(V + 64*T*h + 16*eu + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))));
                    const gn_f32x16 v145 = gn_fma_f32x16(gn_splat_f32x16(s142), v144, o[1][eu]);
                    o[1][eu] = s143 ? v145 : o[1][eu];
                }
            }
        }
        l_0 = gn_hsum_f32x16(l_a_0);
        l_1 = gn_hsum_f32x16(l_a_1);
        const gn_f32x16 v149 = o[0][0] / gn_splat_f32x16(l_0);
        const gn_f32x16 v150 = o[0][1] / gn_splat_f32x16(l_0);
        const gn_f32x16 v151 = o[0][2] / gn_splat_f32x16(l_0);
        const gn_f32x16 v152 = o[0][3] / gn_splat_f32x16(l_0);
        if (2*ir < T) {
            gn_store_f32x16(O + 64*T*h + 128*ir, v149);
            gn_store_f32x16(O + 64*T*h + 128*ir + 16, v150);
            gn_store_f32x16(O + 64*T*h + 128*ir + 32, v151);
            gn_store_f32x16(O + 64*T*h + 128*ir + 48, v152);
        }
        const gn_f32x16 v153 = o[1][0] / gn_splat_f32x16(l_1);
        const gn_f32x16 v154 = o[1][1] / gn_splat_f32x16(l_1);
        const gn_f32x16 v155 = o[1][2] / gn_splat_f32x16(l_1);
        const gn_f32x16 v156 = o[1][3] / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T) {
            gn_store_f32x16(O + 64*T*h + 128*ir + 64, v153);
            gn_store_f32x16(O + 64*T*h + 128*ir + 80, v154);
            gn_store_f32x16(O + 64*T*h + 128*ir + 96, v155);
            gn_store_f32x16(O + 64*T*h + 128*ir + 112, v156);
        }
    }
}
